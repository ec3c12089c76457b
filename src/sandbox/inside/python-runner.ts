/** Trusted Python, as a text: runs code, and says what came of it. `python-check.ts` comes before it, in the same module. */
export const runnerSource = String.raw`
import builtins, datetime, decimal, io, json, posix, signal, struct, sys, time, types

HIDDEN = '<code>'
LAST = '<last>'
DEPTH_MAX = 500
MESSAGE_BYTES = 2048
TRACE_MAX = 32
LINE_MAX = 10_000_000
SLEEP_DOOR, RESERVE_DOOR = 1000, 1001
# What C asks for by name of its own accord, with the code as the caller.
QUIET = frozenset(('_strptime', '_pylong', '_pydatetime', 'copyreg', 'encodings', 'typing', 'unicodedata', 'warnings', '_warnings', '_decimal'))


class TimeLimit(BaseException):
    pass


class State:
    def __init__(self):
        self.check = None
        self.timed_out = False
        self.line = None
        self.last_import = None
        self.running = False


class Encoder(json.JSONEncoder):
    # Copies: what code does to the class is not done to this one.
    encode = json.JSONEncoder.encode
    iterencode = json.JSONEncoder.iterencode
    default = json.JSONEncoder.default
    __init__ = json.JSONEncoder.__init__


def make_text(value, ascii=True, default=None):
    return Encoder(ensure_ascii=ascii, allow_nan=False, separators=(',', ':'), default=default).encode(value)


decode = json.JSONDecoder().decode
state = State()
traceback_of = BaseException.__dict__['__traceback__'].__get__
context_of = BaseException.__dict__['__context__'].__get__
cause_of = BaseException.__dict__['__cause__'].__get__
suppressed_of = BaseException.__dict__['__suppress_context__'].__get__
name_of = type.__dict__['__name__'].__get__
whole_import = builtins.__import__
seed = sys.modules['random'].seed if 'random' in sys.modules else None
write_door = posix.write


def interrupted(number, frame):
    state.timed_out = True
    state.line = line_of(frame) or state.line
    raise TimeLimit


def line_of(frame):
    while frame is not None:
        if frame.f_code.co_filename == HIDDEN:
            return frame.f_lineno
        frame = frame.f_back
    return None


signal.signal(signal.SIGINT, interrupted)


def guarded_import(name, globals=None, locals=None, fromlist=(), level=0):
    if level == 0 and type(name) is str and (name.partition('.')[0] in ALLOWED or name in QUIET):
        return whole_import(name, globals, locals, fromlist, level)
    module = '.' * level + name if type(name) is str and type(level) is int else str(name)
    line = line_of(sys._getframe(1))
    state.check.tell('forbidden-import', module, line)
    state.last_import = ForbiddenImport(module, line)
    raise state.last_import


def refused(name, why):
    def refuse(*args, **named):
        if name == 'open':
            state.check.tell('escape-attempt', 'open', line_of(sys._getframe(1)))
        raise PermissionError(why)

    refuse.__name__ = refuse.__qualname__ = name
    return refuse


def leave(code=None):
    raise SystemExit(code)


def sleep(seconds, /):
    seconds = float(seconds)
    if seconds != seconds or seconds < 0:
        raise ValueError('sleep length must be non-negative')
    end = time.monotonic() + seconds
    while True:
        left = end - time.monotonic()
        if left <= 0:
            return
        # In slices, so that the time limit is heard between two of them.
        write_door(SLEEP_DOOR, struct.pack('<d', min(left * 1000, 50)))


time.sleep = sleep

own = dict(builtins.__dict__)
for gone in ('copyright', 'credits', 'license', '_'):
    own.pop(gone, None)
own['__import__'] = guarded_import
own['open'] = refused('open', 'files cannot be reached from here')
own['input'] = refused('input', 'nobody is here to answer: what the code is given stands in the variable input')
own['breakpoint'] = refused('breakpoint', 'there is no debugger here')
own['help'] = refused('help', 'there is no help here')
own['exit'] = own['quit'] = leave

main = types.ModuleType('__main__')
sys.modules['__main__'] = main


def cut(text, size):
    raw = text.encode('utf-8', 'backslashreplace')
    return raw.decode() if len(raw) <= size else raw[: size - 3].decode('utf-8', 'ignore') + '…'


def message_of(error):
    try:
        return cut(str(error), MESSAGE_BYTES)
    except TimeLimit:
        raise
    except BaseException:
        return ''


def frames_of(error):
    told = []
    step = traceback_of(error)
    while step is not None:
        code = step.tb_frame.f_code
        if code.co_filename == HIDDEN and step.tb_lineno is not None and 0 < step.tb_lineno <= LINE_MAX:
            told.append({'line': step.tb_lineno, 'in': cut(code.co_name, 128)})
        step = step.tb_next
    return told


def chain_of(error):
    '''What came before it, in words.'''
    told, seen = [], {id(error)}
    while len(told) < 4:
        cause = cause_of(error)
        before, word = (cause, 'caused by') if cause is not None else (context_of(error), 'while handling')
        if before is None or (cause is None and suppressed_of(error)) or id(before) in seen:
            break
        seen.add(id(before))
        said = cut(message_of(before), 256)
        told.append(f'{word} {name_of(type(before))}{": " if said else ""}{said}')
        error = before
    return f' ({"; ".join(told)})' if told else ''


def failure(code, message, line=None, **more):
    told = {'code': code, 'message': message, **more}
    # Code that was put together by hand says of itself what it likes.
    if type(line) is int and 0 < line <= LINE_MAX:
        told['line'] = line
    return told


def not_allowed(module, line):
    allowed = ', '.join(sorted(ALLOWED - {'__future__'})) or 'none'
    said = cut(module, 64)
    why = 'there is no package around the code' if said.startswith('.') else f'modules that can be imported: {allowed}'
    return failure('import-forbidden', f'{chr(96)}{said}{chr(96)} cannot be imported here: {why}', line, module=said)


def failure_of(error):
    frames = frames_of(error)
    line = frames[-1]['line'] if frames else None
    kind = name_of(type(error))
    if isinstance(error, ForbiddenImport):
        return not_allowed(error.module, error.line or line)
    if len(frames) > TRACE_MAX:
        frames = frames[: TRACE_MAX // 2] + frames[-TRACE_MAX // 2 :]
    more = {'type': cut(kind, 128), 'trace': frames}
    if isinstance(error, MemoryError):
        return failure('limit', 'memory limit reached', line, limit='memory', **more)
    if isinstance(error, RecursionError):
        return failure('limit', 'calls are nested too deeply', line, limit='stack', **more)
    if isinstance(error, SystemExit):
        code = error.code
        if code is None or code is False or code == 0:
            return None
        return failure('exception', f'exit code {cut(str(code), 256)}', line, **more)
    said = message_of(error)
    return failure('exception', (said or kind) + chain_of(error), line, **more)


def told_of(error):
    try:
        return failure_of(error)
    except TimeLimit:
        raise
    except BaseException:
        # One of its own making, which harms whoever looks at it.
        return failure('exception', 'an exception that cannot be told')


def plain(value):
    if isinstance(value, (datetime.date, datetime.time)):
        return value.isoformat()
    if isinstance(value, decimal.Decimal):
        return str(value)
    raise TypeError('no JSON')


def reason_of(value):
    '''Where in a value the first thing stands that JSON has no word for, and what it is.'''
    stack, path, above = [(value, 'result', 0)], '', set()
    while stack:
        value, path, depth = stack.pop()
        if path is None:
            above.discard(value)
            continue
        if value is None or isinstance(value, (str, bool, int, datetime.date, datetime.time)):
            if isinstance(value, int) and value.bit_length() > 14_000:
                return path, 'is an integer of more than 4300 digits'
            if isinstance(value, int) and loses(value):
                return path, 'is an integer that readers of JSON do not keep to the last digit: make a text of it'
        elif isinstance(value, decimal.Decimal):
            pass
        elif isinstance(value, float):
            if value != value or value in (float('inf'), float('-inf')):
                return path, f'is {value!r}, which JSON does not have'
        elif isinstance(value, (dict, list, tuple)):
            if id(value) in above:
                return path, 'contains itself'
            if depth >= DEPTH_MAX:
                return cut(path, 120), f'is nested deeper than {DEPTH_MAX}'
            above.add(id(value))
            stack.append((id(value), None, 0))
            if isinstance(value, dict):
                inner = []
                for key, part in dict.items(value):
                    if not (key is None or isinstance(key, (str, int, float, bool))):
                        return path, f'has a key of type {name_of(type(key))}: keys are strings'
                    if isinstance(key, float) and (key != key or key in (float('inf'), float('-inf'))):
                        return path, f'has the key {key!r}, which JSON does not have'
                    inner.append((part, path + (f'.{key}' if isinstance(key, str) and str.isidentifier(key) else f'[{key!r:.64}]'), depth + 1))
            else:
                inner = [(part, f'{path}[{index}]', depth + 1) for index, part in enumerate(tuple(value))]
            stack.extend(reversed(inner))
        else:
            hint = {'set': ': make a list of it', 'frozenset': ': make a list of it', 'bytes': ': decode it', 'timedelta': ': use total_seconds()'}
            kind = cut(name_of(type(value)), 64)
            return path, f'is a {kind}, which JSON does not have{hint.get(kind, "")}'
    return 'result', 'cannot be said in JSON'


def loses(number):
    '''Whether a number with the precision of JSON's readers is another one (RFC 8259, section 6).'''
    try:
        return int(float(number)) != number
    except OverflowError:
        return True


def has_lost(raw):
    import re

    if re.search(rb'[0-9]{16}', raw) is None:
        return False
    parts = re.finditer(rb'"(?:[^"\\]|\\.)*"|-?[0-9]+(?:\.[0-9]+)?(?:[eE][+-]?[0-9]+)?', raw)
    return any(loses(int(part[0])) for part in parts if len(part[0]) > 15 and part[0].lstrip(b'-').isdigit())


def depth_of(raw):
    import re

    depth = deepest = 0
    for bracket in re.finditer(rb'"(?:[^"\\]|\\.)*"|[\[{]|[\]}]', raw):
        first = raw[bracket.start()]
        if first in b'[{':
            depth += 1
            deepest = max(deepest, depth)
        elif first in b']}':
            depth -= 1
    return deepest


def text_of(value, size):
    '''A value as JSON, or a failure.'''
    try:
        try:
            raw = make_text(value, False, plain).encode()
        except UnicodeEncodeError:
            raw = make_text(value, True, plain).encode()
    except (ValueError, TypeError, RecursionError) as error:
        place, why = reason_of(value)
        if why == 'cannot be said in JSON' and message_of(error) != 'no JSON':
            why += f': {cut(message_of(error), 256)}'
        return None, failure('result-invalid', f'{cut(place, 256)} {why}', type=name_of(type(value)))
    if len(raw) > size:
        return None, failure('limit', f'the result is larger than {size} bytes: it has {len(raw)}', limit='result')
    if has_lost(raw) or (raw.count(b'[') + raw.count(b'{') > DEPTH_MAX and depth_of(raw) > DEPTH_MAX):
        place, why = reason_of(value)
        return None, failure('result-invalid', f'{cut(place, 256)} {why}', type=name_of(type(value)))
    return raw, None


def read(code):
    '''The tree of the code, with its last value caught.'''
    try:
        tree = ast.parse(code, HIDDEN)
    except SyntaxError as error:
        return None, failure('syntax', cut(error.msg or 'cannot be read', 512), error.lineno, type=name_of(type(error)))
    except (MemoryError, RecursionError):
        return None, failure('syntax', 'nested too deeply', type='SyntaxError')
    except (ValueError, OverflowError) as error:
        return None, failure('syntax', cut(str(error), 512), type='SyntaxError')
    return tree, None


def compiled(tree):
    if tree.body and isinstance(tree.body[-1], ast.Expr):
        last = tree.body[-1]
        target = ast.copy_location(ast.Name(LAST, ast.Store()), last)
        tree.body[-1] = ast.copy_location(ast.Assign([target], last.value), last)
    try:
        return compile(tree, HIDDEN, 'exec', dont_inherit=True), None
    except SyntaxError as error:
        return None, failure('syntax', cut(error.msg or 'cannot be read', 512), error.lineno, type=name_of(type(error)))
    except (MemoryError, RecursionError):
        return None, failure('syntax', 'nested too deeply', type='SyntaxError')
    except (ValueError, OverflowError) as error:
        return None, failure('syntax', cut(str(error), 512), type='SyntaxError')


def attempt(question):
    tree, error = read(question['code'])
    if error:
        return None, error
    try:
        state.check.tree(tree)
    except ForbiddenImport as error:
        return None, not_allowed(error.module, error.line)
    code, error = compiled(tree)
    del tree
    if error:
        return None, error
    space = main.__dict__
    space.update({'__name__': '__main__', '__builtins__': own, 'input': decode(question['input'])})
    state.running = True
    try:
        exec(code, space)
    except TimeLimit:
        raise
    except BaseException as error:
        if issubclass(type(error), MemoryError):
            write_door(RESERVE_DOOR, b'.')
        told = told_of(error)
        if told is not None:
            return None, told
    state.running = False
    value = space['result'] if 'result' in space else space.get(LAST)
    try:
        return text_of(value, question['resultBytes'])
    except TimeLimit:
        raise
    except BaseException as error:
        # What a value of theirs does while it is read is theirs as well.
        if issubclass(type(error), MemoryError):
            write_door(RESERVE_DOOR, b'.')
        return None, told_of(error) or failure('result-invalid', 'result ended the program when it was read')


def run(asked):
    state.check = Check(ALLOWED)
    raw, error = None, None
    try:
        if seed is not None:
            seed()
        raw, error = attempt(decode(asked.decode()))
        try:
            printed.flush()
        except ValueError:
            pass
    except TimeLimit:
        pass
    if state.timed_out:
        raw, error = None, failure('limit', '', state.line, limit='time')
        try:
            printed.flush()
        except ValueError:
            pass
    head = make_text({'error': error, 'findings': state.check.findings})
    return head.encode() + b'\n' + (raw if raw is not None else b'null')


def settle():
    '''Runs once, so that what Python makes at the first use is made, and leaves nothing of it.'''
    global state
    said = run(json.dumps({'code': 'class A: pass\nprint("", end="")\nresult = [f"{x}" for x in (1.5, A and 2)]', 'input': '{}', 'resultBytes': 1000}).encode())
    if not said.endswith(b'["1.5","2"]'):
        raise SystemError(said)
    main.__dict__.clear()
    state = State()
    del sys.modules['__gatehouse__']
`
