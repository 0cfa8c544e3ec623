"""Programs that read, write or link what is not theirs."""

from sandbox.hostile.program import Family

FOREIGN = """
    def foreign(place):
        # The names in a folder, unless it is one of the standard library, which may be read.
        names = set(os.listdir(place()))
        if not names & {"etc", "home", "proc", "site-packages", "dist-packages", "bin", "python3"}: raise OSError("own folder")
        return names
"""

secrets = Family("secrets")
writes = Family("writes")
links = Family("links")

secrets.stdin(
    "environment",
    "print its environment",
    """
    print(dict(os.environ), os.environb, os.popen)
    for name in ("HF_TOKEN", "WANDB_API_KEY", T["variable"], "PATH", "HOME"):
        if os.getenv(name): breach(os.getenv(name))
    LIBC.getenv.restype = ctypes.c_char_p
    if LIBC.getenv(T["variable"].encode()): breach("getenv")
    """,
)
secrets.stdin(
    "environment_in_memory",
    "find the environment on its own stack",
    """
    libc_environ = ctypes.c_void_p.in_dll(LIBC, "environ").value or 0
    r, w = os.pipe()
    LIBC.write.argtypes = [ctypes.c_int, ctypes.c_void_p, ctypes.c_size_t]
    stack = ctypes.CDLL(None)
    anchor = ctypes.c_void_p.in_dll(LIBC, "__libc_stack_end").value if hasattr(LIBC, "__libc_stack_end") else 0
    for start in (libc_environ, anchor):
        for page in range(start & ~4095, (start & ~4095) + (1 << 18), 4096):
            if start and LIBC.write(w, page, 4096) == 4096:
                text = os.read(r, 4096)
                if T["variable"].encode() in text or b"CANAR" b"Y" in text: os.write(1, text)
    """,
)
secrets.stdin(
    "open_files",
    "read files by all the ways of Python",
    """
    import fileinput, io, linecache, mmap, shutil, tokenize
    from importlib.machinery import SourceFileLoader
    for path in T["files"]:
        print(*(attempt("open", lambda: open(path).read()), attempt("io", lambda: io.FileIO(path).readall())))
        print(attempt("os", lambda: os.read(os.open(path, os.O_RDONLY), 1000)), *linecache.getlines(path))
        print(attempt("loader", SourceFileLoader("x", path).get_data, path))
        print(attempt("input", lambda: list(fileinput.input(path))))
        attempt("copy", shutil.copyfile, path, "/proc/self/fd/1")
        attempt("import", SourceFileLoader("x", path).load_module)
        attempt("library", ctypes.CDLL, path)
        attempt("path", os.open, path, os.O_RDONLY | os.O_DIRECTORY)
        attempt("write", os.open, path, os.O_WRONLY)
        attempt("tmpfile", os.open, os.path.dirname(path), os.O_RDWR | 0o20200000)
    """,
)
secrets.stdin(
    "open_in_c",
    "read files with the C library and raw system calls",
    """
    import struct
    handle = ctypes.create_string_buffer(256)
    how = struct.pack("QQQ", 0, 0, 0)
    for path in map(str.encode, T["files"]):
        attempt("open", syscall, 2, path, 0, 0)
        attempt("openat", syscall, 257, -100, path, 0, 0)
        attempt("openat2", syscall, 437, -100, path, how, 24)
        attempt("creat", syscall, 85, path + b"x", 0o777)
        attempt("name_to_handle_at", syscall, 303, -100, path, handle, handle, 0)
        attempt("open_by_handle_at", syscall, 304, 0, handle, 0)
        attempt("open_tree", syscall, 428, -100, path, 1)
        attempt("truncate", syscall, 76, path, 0)
        attempt("fopen", lambda: LIBC.fopen(path, b"r") or 1 / 0)
    """,
    x86_64_only=True,
)
secrets.stdin(
    "beneath_its_descriptors",
    "climb from the descriptors that it was given",
    FOREIGN
    + """
    for fd in range(128):
        for up in range(8):
            climb = "../" * up
            for path in ("etc/passwd", "proc/1/environ", T["files"][0].lstrip("/")):
                attempt(f"{fd} {climb}", lambda: os.open(climb + path, os.O_RDONLY, dir_fd=fd))
            attempt(f"list {fd} {climb}", foreign, lambda: os.open(climb or ".", os.O_RDONLY, dir_fd=fd))
        attempt(f"through {fd}", lambda: open(f"/proc/self/fd/{fd}/../../etc/passwd").read())
    """,
)
secrets.stdin(
    "folders",
    "list folders",
    """
    for path in T["folders"]:
        attempt(path, os.listdir, path)
        attempt(path, lambda: list(os.scandir(path))[0])
        attempt(path, os.chdir, path)
        attempt(path, lambda: next(iter(os.walk(path))))
    """,
)
secrets.stdin(
    "this_project",
    "import the project, its tests and its host's packages",
    """
    sys.path += T["packages"]
    for name in ("sdpo_gym", "envs.livecodebench", "gymnasium", "torch", "pytest", "hypothesis", "sandbox.hostile", "pip"):
        attempt(name, __import__, name)
    for path in T["packages"]: attempt(path, os.listdir, path)
    """,
)
secrets.stdin(
    "devices",
    "read devices and the kernel's own files",
    """
    def device(path, flags):
        found = os.fstat(os.open(path, flags))
        if found.st_rdev == os.makedev(1, 3): raise OSError("/dev/null, put over it")
        return found
    for path in ("/dev/mem", "/dev/kmem", "/dev/port", "/dev/kmsg", "/dev/tty", "/dev/ptmx", "/dev/fuse", "/dev/kvm",
                 "/dev/vda", "/dev/sda", "/dev/stdin/../mem", "/dev/net/tun", "/dev/nvidia0", "/dev/shm", "/sys/kernel",
                 "/proc/kcore", "/proc/kallsyms", "/proc/keys", "/proc/sysrq-trigger", "/proc/sys/kernel/hostname",
                 "/sys/fs/cgroup/cgroup.procs", "/run/docker.sock", "/var/run/docker.sock"):
        for flags in (os.O_RDONLY, os.O_WRONLY, os.O_RDWR): attempt(path, device, path, flags | os.O_NONBLOCK)
    """,
)
secrets.stdin(
    "databases",
    "read and write files through sqlite3, dbm and zipfile",
    """
    import dbm.dumb, sqlite3, zipfile
    for path in T["files"]: attempt("zip", zipfile.ZipFile, path)
    for folder in T["folders"]:
        base = f"{folder}/{T['token']}"
        attempt("sqlite", lambda: sqlite3.connect(base + ".db").execute("create table t (x)"))
        attempt("attach", lambda: sqlite3.connect(":memory:").execute(f"attach '{base}.db' as a").execute("create table a.t (x)"))
        attempt("dbm", lambda: dbm.dumb.open(base, "c"))
    """,
)

writes.stdin(
    "files_everywhere",
    "write files wherever there is a folder",
    """
    import tempfile
    for folder in (".", *T["folders"], *T["packages"], *sys.path, "/proc/self", os.path.dirname(os.__file__)):
        path = f"{folder}/{T['token']}"
        attempt(path, lambda: open(path, "w").write("x"))
        attempt(path, os.mkdir, path + "-folder")
        attempt(path, os.mkfifo, path + "-fifo")
        attempt(path, os.mknod, path + "-node")
        attempt(path, os.mknod, path + "-null", 0o20666, os.makedev(1, 3))
        attempt(path, lambda: tempfile.NamedTemporaryFile(dir=folder, prefix=T["token"], delete=False))
    """,
)
writes.stdin(
    "changes_of_files",
    "remove, rename and change files",
    """
    for path in (*T["files"], os.__file__, sys.executable):
        attempt("remove", os.remove, path)
        attempt("rename", os.rename, path, path + T["token"])
        attempt("mode", os.chmod, path, 0o777)
        attempt("owner", os.chown, path, os.getuid(), os.getgid())
        attempt("times", os.utime, path)
        attempt("truncate", os.truncate, path, 0)
        attempt("append", os.open, path, os.O_WRONLY | os.O_APPEND)
        attempt("attribute", os.setxattr, path, "user.x", b"x")
        attempt("replace", os.replace, path, path)
    for path in T["folders"]: attempt("remove", os.rmdir, path)
    """,
)
writes.stdin(
    "poisoned_bytecode",
    "write bytecode that the next program would import",
    """
    import importlib.util, json, random
    for module in (json, random, os):
        cached = importlib.util.cache_from_source(module.__file__)
        attempt(cached, lambda: open(cached, "r+b"))
        attempt(cached, lambda: open(cached + T["token"], "wb"))
        attempt(module.__file__, lambda: open(module.__file__, "a"))
    """,
)
writes.stdin(
    "shared_memory",
    "create what outlives a process in memory",
    """
    import multiprocessing, multiprocessing.shared_memory as shared
    attempt("shm", lambda: shared.SharedMemory(T["token"], create=True, size=4096))
    attempt("shm_open", lambda: LIBC.shm_open(b"/" + T["token"].encode(), 66, 0o777) >= 0 or 1 / 0)
    attempt("sem_open", lambda: LIBC.sem_open(b"/" + T["token"].encode(), 64, 0o777, 1) or 1 / 0)
    attempt("lock", multiprocessing.Lock)
    """,
)
writes.stdin(
    "shared_memory_by_number",
    "create System V objects and message queues",
    """
    attempt("shmget", syscall, 29, 0x5DB0, 4096, 0o1777)
    attempt("semget", syscall, 64, 0x5DB0, 1, 0o1777)
    attempt("msgget", syscall, 68, 0x5DB0, 0o1777)
    attempt("mq_open", syscall, 240, b"sdpo", 66, 0o777, 0)
    attempt("memfd_create", syscall, 319, b"x", 0)
    attempt("memfd_secret", syscall, 447, 0)
    """,
    x86_64_only=True,
)

links.stdin(
    "symbolic_links",
    "reach files by symbolic links",
    """
    for folder in (".", *T["folders"]):
        for target in (T["files"][0], "/", "/proc/1/root"):
            path = f"{folder}/{T['token']}-link"
            attempt(path, os.symlink, target, path)
            attempt(path, lambda: open(path).read())
    """,
)
links.stdin(
    "hard_links",
    "reach files by hard links",
    """
    for folder in (".", *T["folders"]):
        for target in (*T["files"], "/proc/self/fd/0", "/proc/self/fd/1", "/proc/self/exe"):
            attempt(target, lambda: os.link(target, f"{folder}/{T['token']}-hard", follow_symlinks=True))
            attempt(target, lambda: os.link(target, f"{folder}/{T['token']}-hard", follow_symlinks=False))
    """,
)
links.stdin(
    "magic_links",
    "reach the host's files by the links in /proc",
    FOREIGN
    + """
    for pid in ("self", os.getppid(), T["host"], 1):
        for link in ("root", "cwd"):
            for path in (*T["files"], "/etc/passwd"):
                attempt(f"{pid} {link}", lambda: open(f"/proc/{pid}/{link}{path}").read())
    for fd in range(3, 64):
        for up in ("", "../", "../../"): attempt(f"descriptor {fd}", foreign, lambda: f"/proc/self/fd/{fd}/{up}")
    """,
)
