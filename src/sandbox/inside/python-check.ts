/** Trusted Python, as a text: what code asks for, read from its tree before any of it runs. */
export const checkSource = `
import ast

FOLD_MAX = 10_000
FINDINGS_MAX = 16

# Names by which code goes from a value of its own to what is not its own.
REACHING = frozenset('''__subclasses__ __globals__ __builtins__ __code__ __closure__ __loader__ __spec__ __import__ f_globals
f_locals f_builtins f_back f_code gi_frame gi_code cr_frame cr_code ag_frame ag_code tb_frame tb_next co_code func_globals'''.split())

# Modules that others hold, by the names that those have for them.
OF_THE_SYSTEM = frozenset(('os', '_os', 'posix', '_posixsubprocess', 'subprocess', 'socket', '_socket', 'ctypes'))

SAFE_METHODS = frozenset('join replace lower upper strip lstrip rstrip format title capitalize swapcase decode encode hex'.split())


class ForbiddenImport(ImportError):
    def __init__(self, module, line):
        super().__init__(module)
        self.module = module
        self.line = line


class NotKnown(Exception):
    pass


def simple_names(tree):
    '''Names that are given a value once, where that value can be seen.'''
    given = {}
    for node in ast.walk(tree):
        if isinstance(node, ast.Name) and not isinstance(node.ctx, ast.Load):
            given[node.id] = given.get(node.id, 0) + 1
        elif isinstance(node, ast.arg):
            given[node.arg] = given.get(node.arg, 0) + 1
    values = {}
    for node in ast.walk(tree):
        if isinstance(node, ast.Assign) and len(node.targets) == 1 and isinstance(node.targets[0], ast.Name):
            if given.get(node.targets[0].id) == 1:
                values[node.targets[0].id] = node.value
        elif isinstance(node, ast.NamedExpr) and given.get(node.target.id) == 1:
            values[node.target.id] = node.value
    return values


class Folder:
    '''Works out what an expression of constants comes to, in few steps or not at all.'''

    def __init__(self, names):
        self.names = names
        self.steps = 0

    def text(self, node):
        self.steps = 0
        try:
            value = self.fold(node, {}, 0)
        except (NotKnown, ValueError, TypeError, LookupError, AttributeError, ArithmeticError, MemoryError, RecursionError):
            return None
        return value if type(value) is str else None

    def fold(self, node, bound, depth):
        self.steps += 1
        if depth > 40 or self.steps > 5000:
            raise NotKnown
        value = self.folded(node, bound, depth + 1)
        if type(value) in (str, bytes, list, tuple) and len(value) > FOLD_MAX:
            raise NotKnown
        return value

    def folded(self, node, bound, depth):
        fold = lambda part: self.fold(part, bound, depth)
        kind = type(node)
        if kind is ast.Constant:
            if type(node.value) in (str, bytes) or type(node.value) is int and abs(node.value) < 2**31:
                return node.value
        elif kind is ast.Name:
            if node.id in bound:
                return bound[node.id]
            if node.id in self.names:
                return fold(self.names[node.id])
        elif kind in (ast.List, ast.Tuple):
            return [fold(part) for part in node.elts]
        elif kind is ast.BinOp:
            return self.joined(node.op, fold(node.left), fold(node.right))
        elif kind is ast.UnaryOp and type(node.op) is ast.USub:
            return -fold(node.operand)
        elif kind is ast.JoinedStr:
            return ''.join(str(fold(part)) for part in node.values)
        elif kind is ast.FormattedValue and node.format_spec is None and node.conversion == -1:
            return fold(node.value)
        elif kind is ast.Subscript:
            if type(node.slice) is ast.Slice:
                ends = [None if end is None else fold(end) for end in (node.slice.lower, node.slice.upper, node.slice.step)]
                return fold(node.value)[slice(*ends)]
            return fold(node.value)[fold(node.slice)]
        elif kind in (ast.ListComp, ast.GeneratorExp) and len(node.generators) == 1:
            turn = node.generators[0]
            if not turn.ifs and isinstance(turn.target, ast.Name):
                return [self.fold(node.elt, {**bound, turn.target.id: value}, depth) for value in fold(turn.iter)]
        elif kind is ast.Call and not node.keywords:
            return self.called(node, [part for part in node.args], fold)
        raise NotKnown

    def joined(self, op, left, right):
        kinds = (type(left), type(right))
        if type(op) is ast.Add and kinds[0] is kinds[1]:
            return left + right
        if type(op) is ast.Sub and kinds == (int, int):
            return left - right
        if type(op) is ast.BitXor and kinds == (int, int):
            return left ^ right
        if type(op) is ast.Mult and int in kinds and min(x for x in (left, right) if type(x) is int) <= 1000:
            if kinds == (int, int) or len(left if kinds[1] is int else right) <= 100:
                return left * right
        if type(op) is ast.Mod and kinds[0] is str and '*' not in left and len(left) < 1000:
            # No width or precision beyond three digits.
            if not any(all(char.isdigit() for char in left[at : at + 4]) for at in range(len(left) - 3)):
                return left % (tuple(right) if kinds[1] is list else right)
        raise NotKnown

    def called(self, node, args, fold):
        func = node.func
        if isinstance(func, ast.Attribute) and func.attr in SAFE_METHODS:
            if isinstance(func.value, ast.Name) and func.value.id == 'bytes' and func.attr == 'fromhex':
                return bytes.fromhex(fold(args[0]))
            owner = fold(func.value)
            if func.attr in ('join', 'replace') and len(owner) > 1000:
                raise NotKnown
            if type(owner) in (str, bytes) and not (func.attr == 'format' and any(c.isdigit() for c in owner if c > '9')):
                if func.attr == 'format' and ':' in owner:
                    raise NotKnown
                return getattr(owner, func.attr)(*[fold(part) for part in args])
        elif isinstance(func, ast.Attribute) and func.attr == 'fromhex' and isinstance(func.value, ast.Name):
            return bytes.fromhex(fold(args[0]))
        elif isinstance(func, ast.Name) and func.id not in self.names:
            if func.id == 'map' and len(args) == 2 and isinstance(args[0], ast.Name) and args[0].id in ('chr', 'str'):
                return [chr(part) if args[0].id == 'chr' else str(part) for part in fold(args[1])]
            values = [fold(part) for part in args]
            if func.id == 'chr':
                return chr(values[0])
            if func.id == 'ord':
                return ord(values[0])
            if func.id == 'str' and len(values) == 1 and type(values[0]) in (str, int):
                return str(values[0])
            if func.id in ('bytes', 'bytearray') and type(values[0]) is list:
                return bytes(values[0])
            if func.id in ('list', 'tuple', 'reversed'):
                return list(values[0])[:: -1 if func.id == 'reversed' else 1]
        raise NotKnown


class Check:
    def __init__(self, allowed):
        self.allowed = allowed
        self.findings = []

    def tell(self, what, name, line):
        finding = {'what': what, 'name': str(name)[:64], 'line': line}
        if len(self.findings) < FINDINGS_MAX and finding not in self.findings:
            self.findings.append(finding)

    def module(self, name, line):
        top = name.partition('.')[0]
        if top not in self.allowed:
            self.tell('forbidden-import', name, line)
            raise ForbiddenImport(name, line)

    def tree(self, tree, nested=0, line=None):
        folder = Folder(simple_names(tree))
        for node in ast.walk(tree):
            at = line or getattr(node, 'lineno', None)
            kind = type(node)
            if kind is ast.Import:
                for alias in node.names:
                    self.module(alias.name, at)
            elif kind is ast.ImportFrom:
                self.module('.' * node.level + (node.module or ''), at)
            elif kind is ast.Attribute:
                if node.attr in REACHING or self.named(node.value, folder) in OF_THE_SYSTEM:
                    self.tell('escape-attempt', node.attr, at)
            elif kind is ast.Name:
                if node.id == '__builtins__' or node.id == '__loader__' or node.id == '__spec__':
                    self.tell('escape-attempt', node.id, at)
            elif kind is ast.Subscript:
                self.subscript(node, folder, at)
            elif kind is ast.Call:
                self.call(node, folder, nested, at)

    def subscript(self, node, folder, at):
        key = folder.text(node.slice) if not isinstance(node.slice, ast.Slice) else None
        if key is None:
            return
        if isinstance(node.value, ast.Attribute) and node.value.attr == 'modules' and isinstance(node.ctx, ast.Load):
            self.module(key, at)
        elif key in REACHING:
            self.tell('escape-attempt', key, at)

    def call(self, node, folder, nested, at):
        name = self.named(node.func, folder)
        if name == 'getattr' and len(node.args) > 1:
            reached = folder.text(node.args[1])
            if reached in REACHING:
                self.tell('escape-attempt', reached, at)
        first = node.args[0] if node.args else next((k.value for k in node.keywords if k.arg in ('name', 'source')), None)
        text = folder.text(first) if first is not None else None
        if text is None:
            return
        if name in ('__import__', 'import_module'):
            self.module(text, at)
        elif name == 'get' and isinstance(node.func, ast.Attribute) and getattr(node.func.value, 'attr', None) == 'modules':
            self.module(text, at)
        elif name in ('exec', 'eval', 'compile') and nested < 4:
            try:
                inner = ast.parse(text.strip() if name == 'eval' else text)
            except Exception:
                return
            self.tree(inner, nested + 1, at)

    def named(self, func, folder):
        '''What is called, by its last name, however it is reached.'''
        if isinstance(func, ast.Name):
            value = folder.names.get(func.id)
            return func.id if value is None else self.named(value, Folder({}))
        if isinstance(func, ast.Attribute):
            return func.attr
        if isinstance(func, ast.Subscript) and not isinstance(func.slice, ast.Slice):
            return folder.text(func.slice)
        if isinstance(func, ast.Call) and isinstance(func.func, ast.Name) and func.func.id == 'getattr' and len(func.args) > 1:
            return folder.text(func.args[1])
        return None
`
