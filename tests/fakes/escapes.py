"""Ways out of a computer. Each is a Python program that prints ESCAPED where it works: first it is
run unsandboxed, where it must work, then inside a computer, where it must not.

What a program may look for stands in its environment: SECRET (a file of the host's), MARK (a word
on the command line and in the environment of a host process, VICTIM its pid), TCP, HTTP, UDP (ports
on the host's loopback), UNIX, ABSTRACT (unix sockets of the host's), CONTROL (the keeper's), STATE
(the folder computers are kept in), ADDRESS (the host's own).
"""

PRELUDE = """
import ctypes, errno, fcntl, glob, os, resource, socket, struct, subprocess, sys
libc = ctypes.CDLL(None, use_errno=True)
E = os.environ
def call(number, *arguments):
    ctypes.set_errno(0)
    return libc.syscall(number, *(ctypes.c_long(a) if isinstance(a, int) else a for a in arguments))
def text(path, size=65536):
    with open(path, 'rb') as file:
        return file.read(size).decode(errors='replace')
def connects(family, address, kind=socket.SOCK_STREAM):
    with socket.socket(family, kind) as s:
        s.settimeout(5)
        s.connect(address)
        return s.recv(16) == b'OUTSIDE'
def curl(host):
    words = ['curl', '-s', '-m', '8', '-g', '--noproxy', E.get('no_proxy', '*'), f'http://{host}/']
    return 'OUTSIDE' in subprocess.run(words, capture_output=True, text=True).stdout
def proxied(host):
    if 'http_proxy' not in E:
        return curl(f'{host}:{E["HTTP"]}')
    words = ['curl', '-s', '-m', '8', '-g', '-x', E['http_proxy'], '--noproxy', '', *sys.argv[1:]]
    return 'OUTSIDE' in subprocess.run([*words, f'http://{host}:{E["HTTP"]}/'],
                                    capture_output=True, text=True).stdout
def tunnelled(host):
    sys.argv[1:] = ['-p']
    return proxied(host)
children = []
def child():
    pid = os.fork()
    if not pid:
        __import__('signal').pause()
    children.append(pid)
    return pid
def escaped(works):
    try:
        print('ESCAPED' if works() else 'contained')
    except Exception as error:
        print('contained', type(error).__name__, error)
    for pid in children: os.kill(pid, 9)
"""

FILES = {
    "a host file by its path": "escaped(lambda: 'secret' in text(E['SECRET']))",
    "a host file from the home upward": (
        "escaped(lambda: 'secret' in text('../' * 20 + E['SECRET']))"
    ),
    "a host file through a link": """
try: os.unlink('way-out')
except OSError: pass
os.symlink(E['SECRET'], 'way-out')
escaped(lambda: 'secret' in text('way-out'))""",
    "a host file through the root of a host process": (
        "escaped(lambda: 'secret' in text(f'/proc/{E[\"VICTIM\"]}/root' + E['SECRET']))"
    ),
    "a host file through the root of any process": """
def any_root():
    for root in glob.glob('/proc/[0-9]*/root'):
        try:
            if 'secret' in text(root + E['SECRET']): return True
        except OSError: pass
escaped(any_root)""",
    "a host file through the folder of any process": """
def any_cwd():
    for root in glob.glob('/proc/[0-9]*/cwd'):
        try:
            if 'secret' in text(root + '/' + '../' * 20 + E['SECRET']): return True
        except OSError: pass
escaped(any_cwd)""",
    "writing beside a host file": "escaped(lambda: open(E['SECRET'] + '.new', 'w').write('x'))",
    "the folder above a host file": (
        "escaped(lambda: os.path.basename(E['SECRET']) in os.listdir(os.path.dirname(E['SECRET'])))"
    ),
    "the host's passwords": "escaped(lambda: 'root:' in text('/etc/shadow'))",
    "writing into the system": """
def write():
    path = '/usr/share/doer-way-out'
    open(path, 'w').close()
    os.unlink(path)
    return True
escaped(write)""",
    "writing into its settings": """
def write():
    path = '/etc/doer-way-out'
    open(path, 'w').close()
    os.unlink(path)
    return True
escaped(write)""",
    "the host's state folder": "escaped(lambda: os.listdir(E['STATE']))",
    "a file by its handle": """
def by_handle():
    handle = ctypes.create_string_buffer(struct.pack('II', 128, 0) + bytes(128))
    mount = ctypes.c_int()
    folder = os.open('/', os.O_RDONLY)
    if call(303, folder, ctypes.c_char_p(b'tmp'), handle, ctypes.byref(mount), 0): return False
    return call(304, folder, handle, os.O_RDONLY) >= 0
escaped(by_handle)""",
    "a mount": """
os.makedirs('mnt', exist_ok=True)
def mount():
    done = libc.mount(b'tmpfs', b'mnt', b'tmpfs', 0, None) == 0
    if done: libc.umount2(b'mnt', 2)
    return done
escaped(mount)""",
    "a mount in a namespace of one's own": """
os.makedirs('mnt', exist_ok=True)
escaped(lambda: libc.unshare(0x10000000 | 0x20000) == 0
        and libc.mount(b'tmpfs', b'mnt', b'tmpfs', 0, None) == 0)""",
    "the new mount calls": "escaped(lambda: call(430, ctypes.c_char_p(b'tmpfs'), 0) >= 0)",
    "taking a copy of a mount": (
        "escaped(lambda: call(428, -100, ctypes.c_char_p(b'/'), 1) >= 0)  # open_tree, clone"
    ),
    "a root of one's own": "escaped(lambda: libc.chroot(b'/tmp') == 0)",
    "making a device": """
def device():
    os.mknod('device', 0o20600, os.makedev(1, 1))
    os.unlink('device')
    return True
escaped(device)""",
    "a disk": """
disks = [p for p in glob.glob('/dev/vd*') + glob.glob('/dev/sd*') + glob.glob('/dev/nvme*')]
escaped(lambda: any(os.open(disk, os.O_RDONLY) > 0 for disk in disks))""",
    "the machine's memory": "escaped(lambda: os.open('/dev/mem', os.O_RDONLY) > 0)",
    "the kernel's memory": "escaped(lambda: os.open('/proc/kcore', os.O_RDONLY) > 0)",
    "virtual machines": "escaped(lambda: os.open('/dev/kvm', os.O_RDWR) > 0)",
    "file systems of one's own": "escaped(lambda: os.open('/dev/fuse', os.O_RDWR) > 0)",
    "network devices": "escaped(lambda: os.open('/dev/net/tun', os.O_RDWR) > 0)",
    "the kernel's log": "escaped(lambda: os.open('/dev/kmsg', os.O_WRONLY) > 0)",
    "reading the kernel's log": (
        "escaped(lambda: libc.klogctl(3, ctypes.create_string_buffer(99), 99) >= 0)"
    ),
    "the kernel's settings": """
def setting():
    was = text('/proc/sys/kernel/domainname')
    with open('/proc/sys/kernel/domainname', 'w') as file: file.write(was)
    return True
escaped(setting)""",
    "emergency keys": "escaped(lambda: os.open('/proc/sysrq-trigger', os.O_WRONLY) > 0)",
    "control groups": """
def group():
    for place in ('/sys/fs/cgroup', '/sys/fs/cgroup/pids', '/sys/fs/cgroup/memory'):
        try:
            os.mkdir(place + '/doer-way-out')
            os.rmdir(place + '/doer-way-out')
            return True
        except OSError: pass
escaped(group)""",
    "the helper for hotplug events": (
        "escaped(lambda: os.open('/sys/kernel/uevent_helper', os.O_WRONLY) > 0 "
        "if os.path.exists('/sys/kernel/uevent_helper') "
        "else os.open('/proc/sys/kernel/core_pattern', os.O_WRONLY) > 0)"
    ),
}

PROCESSES = {
    "the host's processes": """
def seen():
    for path in glob.glob('/proc/[0-9]*/cmdline'):
        if path != f'/proc/{os.getpid()}/cmdline':
            try:
                if E['MARK'] in text(path): return True
            except OSError: pass
escaped(seen)""",
    "their environment": """
def seen():
    for path in glob.glob('/proc/[0-9]*/environ'):
        if path.split('/')[2] not in (str(os.getpid()), str(os.getppid())):
            try:
                if 'HOST_MARK=' + E['MARK'] in text(path): return True
            except OSError: pass
escaped(seen)""",
    "a signal to a host process": """
def signal():
    os.kill(int(E['VICTIM']), 0)
    return E['MARK'] in text(f"/proc/{E['VICTIM']}/cmdline")
escaped(signal)""",
    "tracing a process": "escaped(lambda: libc.ptrace(16, child(), 0, 0) == 0)",
    "reading a process's memory": """
pid, data = child(), ctypes.create_string_buffer(b'12345678')
class Part(ctypes.Structure):
    _fields_ = [('base', ctypes.c_void_p), ('length', ctypes.c_size_t)]
part = Part(ctypes.cast(data, ctypes.c_void_p).value, 8)
escaped(lambda: call(310, pid, ctypes.byref(part), 1, ctypes.byref(part), 1, 0) == 8)""",
    "a higher priority": "escaped(lambda: os.setpriority(os.PRIO_PROCESS, 0, -5) is None)",
    "real time": (
        "escaped(lambda: os.sched_setscheduler(0, os.SCHED_FIFO, os.sched_param(1)) is None)"
    ),
    "becoming root": "escaped(lambda: os.setuid(0) is None)",
    "becoming somebody else": "escaped(lambda: os.setgid(3) is None and os.setuid(2) is None)",
    "other groups": "escaped(lambda: os.setgroups([0]) is None)",
    "capabilities": """
escaped(lambda: any(line.startswith('CapEff') and int(line.split()[1], 16)
                    for line in text('/proc/self/status').splitlines()))""",
    "privileges by running a program": "escaped(lambda: libc.prctl(39, 0, 0, 0, 0) == 0)",
    "a program that makes one root": """
escaped(lambda: subprocess.run(['su', '-c', 'id -u'], capture_output=True, text=True,
                               stdin=subprocess.DEVNULL).stdout.strip() == '0')""",
    "system calls without a filter": "escaped(lambda: 'Seccomp:\\t0' in text('/proc/self/status'))",
    "the network of a host process": """
there = f"/proc/{E['VICTIM']}/ns/net"
escaped(lambda: E['MARK'] in text(f"/proc/{E['VICTIM']}/cmdline")
        and libc.setns(os.open(there, os.O_RDONLY), 0x40000000) == 0)""",
}

KERNEL = {
    "programs in the kernel": "escaped(lambda: call(321, 0, ctypes.create_string_buffer("
    "struct.pack('IIII', 2, 4, 4, 1) + bytes(112)), 128) >= 0)",
    "keys": "escaped(lambda: call(250, 0, -3, 1) > 0)",
    "new keys": "escaped(lambda: call(248, ctypes.c_char_p(b'user'), ctypes.c_char_p(b'x'), "
    "ctypes.c_char_p(b'y'), 1, -2) > 0)",
    "measuring the machine": """
attr = ctypes.create_string_buffer(struct.pack('IIQ', 1, 128, 0) + bytes(112))
escaped(lambda: call(298, attr, 0, -1, -1, 0) >= 0)""",
    "faults of pages": "escaped(lambda: call(323, 0) >= 0)",
    "rings of requests": "escaped(lambda: call(425, 1, ctypes.create_string_buffer(256)) >= 0)",
    "modules of the kernel": (
        "escaped(lambda: call(313, -1, ctypes.c_char_p(b''), 0) and "
        "ctypes.get_errno() in (errno.EBADF, errno.ENOEXEC, errno.EINVAL))"
    ),
    "starting the machine again": (
        "escaped(lambda: call(169, 1, 2, 3) and ctypes.get_errno() == errno.EINVAL)"
    ),
    "another kernel": (
        "escaped(lambda: call(246, 0, 99, 0, 0) and ctypes.get_errno() == errno.EINVAL)"
    ),
    "swapping": """
open('swap', 'w').close()
escaped(lambda: libc.swapon(b'swap', 0) and ctypes.get_errno() == errno.EINVAL)""",
    "the machine's name": """
name = os.uname().nodename.encode()
escaped(lambda: libc.sethostname(name, len(name)) == 0)""",
    "the machine's clock": """
class Timex(ctypes.Structure):
    _fields_ = [('modes', ctypes.c_uint), ('words', ctypes.c_long * 30)]
now = Timex()
libc.adjtimex(ctypes.byref(now))
now.modes = 0x4000
escaped(lambda: libc.adjtimex(ctypes.byref(now)) >= 0)""",
    "ports of the machine": "escaped(lambda: libc.ioperm(0x80, 1, 1) == 0)",
    "accounting": "escaped(lambda: libc.acct(None) == 0)",
    "watching all files": "escaped(lambda: libc.fanotify_init(0, 0) >= 0)",
    "typing into a terminal": """
import pty
def push():
    ours, theirs = pty.openpty()
    if os.fork() == 0:
        os.setsid()
        fcntl.ioctl(theirs, 0x540E, 0)
        try: fcntl.ioctl(theirs, 0x5412, b'x')
        except OSError: os._exit(1)
        os._exit(0)
    return os.wait()[1] == 0
escaped(push)""",
    "more processes than the limit": (
        "hard = resource.getrlimit(resource.RLIMIT_NPROC)[1]\n"
        "escaped(lambda: resource.setrlimit(resource.RLIMIT_NPROC, (hard + 1, hard + 1)) is None)"
    ),
}

LOOPBACK = ("127.0.0.1", "localhost", "0.0.0.0", "127.1", "2130706433", "0x7f.0.0.1", "0177.0.0.1")
LOOPBACK_6 = ("::1", "::ffff:127.0.0.1", "::")
NETWORK = {
    **{
        f"the host's loopback as {name}": (
            f"escaped(lambda: connects(socket.AF_INET, ({name!r}, int(E['TCP']))))"
        )
        for name in LOOPBACK
    },
    **{
        f"the host's loopback as {name}": (
            f"escaped(lambda: connects(socket.AF_INET6, ({name!r}, int(E['TCP']))))"
        )
        for name in LOOPBACK_6
    },
    **{
        f"the host's loopback through the proxy as {name}": f"escaped(lambda: proxied({name!r}))"
        for name in (*LOOPBACK, *(f"[{name}]" for name in LOOPBACK_6))
    },
    **{
        f"the host's loopback through a tunnel as {name}": f"escaped(lambda: tunnelled({name!r}))"
        for name in ("127.0.0.1", "localhost", "2130706433", "[::1]", "[::ffff:7f00:1]")
    },
    "the host's own address": (
        "escaped(lambda: connects(socket.AF_INET, (E['ADDRESS'], int(E['TCP']))))"
    ),
    "the host's own address through the proxy": "escaped(lambda: proxied(E['ADDRESS']))",
    "a datagram to the host": """
def ask():
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as s:
        s.settimeout(3)
        s.sendto(b'?', ('127.0.0.1', int(E['UDP'])))
        return s.recv(16) == b'OUTSIDE'
escaped(ask)""",
    "a name server on the host": """
def ask():
    question = b'\\0\\1\\1\\0\\0\\1\\0\\0\\0\\0\\0\\0\\7example\\3com\\0\\0\\1\\0\\1'
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as s:
        s.settimeout(3)
        s.connect((E['ADDRESS'], int(E['UDP'])))
        s.send(question)
        return s.recv(16) == b'OUTSIDE'
escaped(ask)""",
    "a unix socket of the host": "escaped(lambda: connects(socket.AF_UNIX, E['UNIX']))",
    "an abstract socket of the host": (
        "escaped(lambda: connects(socket.AF_UNIX, '\\0' + E['ABSTRACT']))"
    ),
    "the keeper's socket": """
def knock():
    with socket.socket(socket.AF_UNIX) as s:
        here = os.open(os.path.dirname(E['CONTROL']), os.O_RDONLY)
        s.connect(f"/proc/self/fd/{here}/{os.path.basename(E['CONTROL'])}")
        return True
escaped(knock)""",
    "raw packets": (
        "escaped(lambda: socket.socket(socket.AF_INET, socket.SOCK_RAW, socket.IPPROTO_ICMP))"
    ),
    "the wire": "escaped(lambda: socket.socket(socket.AF_PACKET, socket.SOCK_RAW, 3))",
    "the hypervisor": "escaped(lambda: socket.socket(40, socket.SOCK_STREAM))",
    "the kernel's ciphers": "escaped(lambda: socket.socket(38, socket.SOCK_SEQPACKET))",
    "addresses of network devices": """
def address():
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as s:
        flags = fcntl.ioctl(s, 0x8913, struct.pack('16sh14x', b'lo', 0))
        fcntl.ioctl(s, 0x8914, flags)
        return True
escaped(address)""",
    "a low port": """
def low():
    with socket.socket() as s:
        s.bind(('127.0.0.1', 77))
        return True
escaped(low)""",
}

PROBES = {
    f"{group}: {name}": PRELUDE + code
    for group, probes in {
        "files": FILES,
        "processes": PROCESSES,
        "kernel": KERNEL,
        "network": NETWORK,
    }.items()
    for name, code in probes.items()
}
