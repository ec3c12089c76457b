/**
 * The only script of the pages, for the only thing that markup cannot do: asking an authenticator. It is a text, so that it
 * comes out of a build as it went in. What it asks for and what it says stand in the page:
 *
 * - `data-passkey` on a hidden block is `get` or `create`; the block is shown where the browser can do it.
 * - `data-options` is where the options come from, `data-body` what is sent there, if anything.
 * - `data-autofill` offers passkeys in the browser's own list too, without a click.
 * - The form in it is sent with `challenge` and `credential` filled in; its `role=status` says what goes on.
 * - `data-without-passkey` is shown where the browser cannot.
 */
export const passkeyScript = `'use strict';
(() => {
  const able = window.PublicKeyCredential !== undefined && navigator.credentials !== undefined;
  const parsers = {
    get: able && PublicKeyCredential.parseRequestOptionsFromJSON,
    create: able && PublicKeyCredential.parseCreationOptionsFromJSON,
  };
  let pending;

  for (const block of document.querySelectorAll('[data-passkey]')) {
    if (typeof parsers[block.dataset.passkey] !== 'function') continue;
    block.hidden = false;
    for (const other of document.querySelectorAll('[data-without-passkey]')) other.hidden = true;
    const form = block.querySelector('form');
    form.addEventListener('submit', (event) => {
      event.preventDefault();
      void ask(block, form, false);
    });
    if (block.dataset.autofill !== undefined) void offer(block, form);
  }

  async function offer(block, form) {
    const available = PublicKeyCredential.isConditionalMediationAvailable;
    if (typeof available !== 'function') return;
    if (await available.call(PublicKeyCredential).catch(() => false)) await ask(block, form, true);
  }

  async function ask(block, form, quietly) {
    if (form.dataset.busy !== undefined) return;
    // A browser runs one ceremony at a time: a click takes over from the offer in its list.
    if (pending !== undefined) pending.abort();
    const mine = (pending = new AbortController());
    const button = form.querySelector('button');
    const say = (text) => {
      if (!quietly) block.querySelector('[role=status]').textContent = text || '';
    };
    const rest = () => {
      if (quietly) return;
      delete form.dataset.busy;
      button.removeAttribute('aria-disabled');
    };
    if (!quietly) {
      form.dataset.busy = '';
      button.setAttribute('aria-disabled', 'true');
      say(block.dataset.waiting);
    }
    let answer;
    try {
      answer = await begin(block, mine.signal);
    } catch {
      say(block.dataset.unreachable);
      return rest();
    }
    if (answer.refused !== undefined) {
      say(answer.refused === 401 || answer.refused === 403 ? block.dataset.stale : block.dataset.failed);
      return rest();
    }
    try {
      const kind = block.dataset.passkey;
      const publicKey = parsers[kind].call(PublicKeyCredential, answer.options);
      const request = { publicKey, signal: mine.signal };
      if (quietly) request.mediation = 'conditional';
      const credential = await navigator.credentials[kind](request);
      if (mine.signal.aborted || credential === null) return rest();
      form.elements.challenge.value = answer.challenge;
      form.elements.credential.value = JSON.stringify(written(credential));
    } catch (error) {
      say(error.name === 'InvalidStateError' ? block.dataset.known : block.dataset.failed);
      return rest();
    }
    form.submit();
  }

  async function begin(block, signal) {
    const body = block.dataset.body;
    const response = await fetch(block.dataset.options, {
      method: 'POST',
      credentials: 'same-origin',
      cache: 'no-store',
      redirect: 'error',
      headers: body === undefined ? { Accept: 'application/json' } : { Accept: 'application/json', 'Content-Type': 'application/json' },
      body,
      signal,
    });
    return response.ok ? response.json() : { refused: response.status };
  }

  // By hand where an extension that stands in for the authenticator answers an object that cannot write itself.
  function written(credential) {
    try {
      return credential.toJSON();
    } catch {
      const { response } = credential;
      const fields = {};
      for (const name of ['clientDataJSON', 'attestationObject', 'authenticatorData', 'signature', 'userHandle'])
        if (response[name]) fields[name] = base64url(response[name]);
      if (typeof response.getTransports === 'function') fields.transports = response.getTransports();
      return {
        id: credential.id,
        rawId: base64url(credential.rawId),
        type: credential.type,
        authenticatorAttachment: credential.authenticatorAttachment || undefined,
        clientExtensionResults: credential.getClientExtensionResults(),
        response: fields,
      };
    }
  }

  function base64url(buffer) {
    const letters = Array.from(new Uint8Array(buffer), (byte) => String.fromCharCode(byte)).join('');
    return btoa(letters).replaceAll('+', '-').replaceAll('/', '_').replaceAll('=', '');
  }

  // A page from the browser's memory still holds what was typed, and a ceremony that is over.
  addEventListener('pageshow', (event) => {
    if (event.persisted) location.reload();
  });
})();
`
