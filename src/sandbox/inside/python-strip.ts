/** Trusted Python that readies the interpreter, once; `ALLOWED` and `PRELOADED` stand in front of it. */
export const prepareSource = `
import importlib, sys

def load(name):
    try:
        importlib.import_module(name)
    except ImportError:
        pass

for name in sorted(PRELOADED | ALLOWED):
    load(name)
    package = sys.modules.get(name)
    if name in ALLOWED and hasattr(package, '__path__'):
        import pkgutil
        for part in pkgutil.walk_packages(package.__path__, name + '.'):
            if not any(word in part.name for word in ('__main__', 'test', 'idle', 'tool')):
                load(part.name)
`

/** Trusted Python that takes away what no code shall find, once all is loaded. */
export const stripSource = String.raw`
import io, os, posix, sys

# One stream for both outputs: what is printed stands in its order.
printed = io.TextIOWrapper(io.BufferedWriter(io.FileIO(1, 'wb', closefd=False), 8192), encoding='utf-8', errors='backslashreplace', newline='\n', line_buffering=True)
sys.stdout = sys.stderr = sys.__stdout__ = sys.__stderr__ = printed
sys.stdin = sys.__stdin__ = io.TextIOWrapper(io.BytesIO(b''), encoding='utf-8')

for module in (posix, os):
    for name in list(vars(module)):
        if name.startswith(('fork', 'exec', 'spawn', 'posix_spawn', 'popen', 'system', 'kill', '_exit', 'abort', 'wait', 'pipe', 'openpty', 'login_tty', 'register_at_fork', 'mkfifo', 'mknod', 'chroot')):
            delattr(module, name)

for name in list(sys.modules):
    if name.split('.')[0] in ('js', 'pyodide_js', 'pyodide', '_pyodide', '_pyodide_core', 'ctypes', '_ctypes', '_socket', 'socket', 'select', 'selectors', '_posixsubprocess', 'subprocess', 'gc', 'faulthandler', 'mmap', 'fcntl', 'termios', '_testcapi', '_testinternalcapi', '_remote_debugging', '_sqlite3', 'site', '_sitebuiltins', 'pkgutil', 'threading') and name.split('.')[0] not in ALLOWED:
        del sys.modules[name]

# Nothing is found by name any more that is not there already.
sys.meta_path.clear()
sys.path_hooks.clear()
sys.path_importer_cache.clear()
sys.path.clear()
os.environ.clear()
sys.argv = ['']
sys.builtin_module_names = ()
sys.excepthook = sys.__excepthook__
`
