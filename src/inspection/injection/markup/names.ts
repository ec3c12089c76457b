/** What a tag tells by its name alone: how sure, in a value of its own and within a text that people wrote. */
export interface Weight {
  readonly alone: number
  readonly among: number
}

/** Elements that fetch, run, or change how the rest of a page is read. What is not here tells nothing. */
export const elements: ReadonlyMap<string, Weight> = new Map(
  Object.entries({
    script: { alone: 0.95, among: 0.35 },
    iframe: { alone: 0.9, among: 0.3 },
    frame: { alone: 0.8, among: 0.35 },
    frameset: { alone: 0.8, among: 0.35 },
    object: { alone: 0.6, among: 0.2 },
    embed: { alone: 0.85, among: 0.3 },
    applet: { alone: 0.9, among: 0.4 },
    style: { alone: 0.6, among: 0.2 },
    foreignobject: { alone: 0.6, among: 0.3 },
    animate: { alone: 0.5, among: 0.2 },
    isindex: { alone: 0.8, among: 0.4 },
    layer: { alone: 0.7, among: 0.3 },
    ilayer: { alone: 0.8, among: 0.4 },
    bgsound: { alone: 0.8, among: 0.4 },
    keygen: { alone: 0.6, among: 0.2 },
    plaintext: { alone: 0.7, among: 0.3 },
    xmp: { alone: 0.7, among: 0.3 },
    listing: { alone: 0.4, among: 0.1 },
    noembed: { alone: 0.6, among: 0.2 },
    noframes: { alone: 0.5, among: 0.2 },
    marquee: { alone: 0.55, among: 0.2 },
    portal: { alone: 0.5, among: 0.1 },
    fencedframe: { alone: 0.8, among: 0.3 },
    image: { alone: 0.3, among: 0.1 },
    img: { alone: 0.3, among: 0.05 },
    form: { alone: 0.35, among: 0.1 },
    xss: { alone: 0.9, among: 0.4 },
    't:set': { alone: 0.8, among: 0.5 },
    'v:vmlframe': { alone: 0.8, among: 0.5 },
    'v:rect': { alone: 0.4, among: 0.1 },
    vmlframe: { alone: 0.8, among: 0.5 },
    handler: { alone: 0.4, among: 0.1 },
  }),
)

/** Elements whose contents are text: to close one that the value did not open is to leave the text. */
export const rawTextElements: ReadonlySet<string> = new Set([
  'script',
  'style',
  'title',
  'textarea',
  'noscript',
  'noembed',
  'noframes',
  'xmp',
  'iframe',
  'template',
])

/** Events of HTML, SVG, the DOM and older browsers. Another `on…` may be an event of tomorrow. */
export const events: ReadonlySet<string> = new Set(
  `abort activate afterprint afterscriptexecute afterupdate animationcancel animationend animationiteration animationstart
  auxclick beforeactivate beforecopy beforecut beforedeactivate beforeeditfocus beforeinput beforematch beforepaste beforeprint
  beforescriptexecute beforetoggle beforeunload beforeupdate begin bestscenario blur bounce cancel canplay canplaythrough
  cellchange change click close command contentvisibilityautostatechange contextmenu contextlost contextrestored controlselect
  copy cuechange cut dataavailable datasetchanged datasetcomplete dblclick deactivate devicelight devicemotion deviceorientation
  drag dragdrop dragend dragenter dragexit dragleave dragover dragstart drop durationchange emptied end ended error errorupdate
  filterchange finish focus focusin focusout formchange formdata forminput fullscreenchange fullscreenerror gesturechange
  gestureend gesturestart gotpointercapture hashchange help input invalid keydown keypress keyup languagechange layoutcomplete
  load loadeddata loadedmetadata loadend loadstart location losecapture lostpointercapture mediacomplete mediaerror message
  messageerror mousedown mouseenter mouseleave mousemove mouseout mouseover mouseup mousewheel move moveend movestart
  mozfullscreenchange offline online orientationchange outofsync pagehide pagereveal pageshow pageswap paste pause play playing
  pointercancel pointerdown pointerenter pointerleave pointermove pointerout pointerover pointerrawupdate pointerup popstate
  progress promptaction promptdismiss propertychange ratechange readystatechange rejectionhandled repeat reset resize resizeend
  resizestart resume reverse rowdelete rowenter rowexit rowinserted rowsdelete rowsenter rowsinserted scroll scrollend
  scrollsnapchange scrollsnapchanging search securitypolicyviolation seek seeked seeking select selectionchange selectstart show
  slotchange stalled start stop storage submit suspend syncrestored timeerror timeupdate toggle touchcancel touchend touchmove
  touchstart trackchange transitioncancel transitionend transitionrun transitionstart unhandledrejection unload urlflip
  volumechange waiting webkitanimationend webkitanimationiteration webkitanimationstart webkitfullscreenchange
  webkitmouseforceup webkitmouseforcewillbegin webkitmouseforcechanged webkitmouseforcedown webkitplaybacktargetavailabilitychanged
  webkittransitionend webkitwillrevealbottom wheel xrbeforeinstalled zoom`.split(/\s+/),
)

/** Attributes in which frameworks that run in the page read code: `ng-init`, `v-on:click`, `@click`, `x-data`. */
export const frameworkAttribute =
  /^(?:data-|x-)?(?:ng-[a-z-]{2,30}|v-(?:on:[\w.]{1,30}|html|bind:[\w-]{1,30})|x-(?:init|data|html|on:[\w.]{1,30}|bind:[\w-]{1,30})|hx-on[:-][\w:-]{1,40}|@[a-z][\w.:-]{0,30})$/

/** Members of `document` and of forms that an element with such a name would stand in front of (DOM clobbering). */
export const clobbered: ReadonlySet<string> = new Set([
  'attributes',
  'body',
  'childnodes',
  'cookie',
  'createelement',
  'currentscript',
  'defaultview',
  'documentelement',
  'domain',
  'firstchild',
  'getelementbyid',
  'getelementsbytagname',
  'innerhtml',
  'nodename',
  'ownerdocument',
  'parentnode',
  'queryselector',
  'removechild',
  'setattribute',
  'tagname',
])
