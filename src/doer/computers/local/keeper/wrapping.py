"""The command line of bubblewrap for a computer, over what `staging` has put in place."""

import resource
from pathlib import Path

from doer.computers import inside
from doer.computers.local.keeper.plan import Plan
from doer.computers.local.keeper.staging import BESIDE, COMPUTER, GUEST, HOME, SYSTEM

ETC = (
    *("X11", "alternatives", "bash.bashrc", "chromium.d", "crypto-policies", "debian_version"),
    *("emacs", "fonts", "gtk-2.0", "gtk-3.0", "gtk-4.0", "host.conf", "ImageMagick-6"),
    *("ImageMagick-7", "inputrc", "java-17-openjdk", "java-21-openjdk", "ld.so.cache"),
    *("ld.so.conf", "ld.so.conf.d", "libreoffice", "locale.alias", "localtime", "mailcap"),
    *("mime.types", "os-release", "perl", "pki", "profile", "protocols", "python3", "R"),
    *("redhat-release", "services", "shells", "ssl/certs", "ssl/openssl.cnf", "terminfo"),
    *("ca-certificates", "papersize", "pcmanfm", "vim", "xdg"),
)
"""What a computer sees of the system's /etc: nothing of users, networks, or secrets."""
LINKS = (("bin", "usr/bin"), ("sbin", "usr/sbin"), ("lib", "usr/lib"), ("lib64", "usr/lib64"))
OTHER = ("opt/google", "var/cache/fontconfig")
DAEMON = ("/usr/bin/python3", "-I", "/opt/doer/inside", f"{inside.RUN}/daemon.sock")


def command(plan: Plan, seccomp: int, lifetime: int) -> list[str]:
    """`seccomp`: the filter's descriptor; `lifetime`: one that is held until the last process of
    the computer is gone."""
    share = plan.memory_mb // 4 << 20
    settings = [word for pair in plan.environment.items() for word in ("--setenv", *pair)]
    return [
        *(plan.bubblewrap, "--die-with-parent", "--new-session", "--cap-drop", "ALL"),
        *("--unshare-user", "--unshare-pid", "--unshare-ipc", "--unshare-uts", "--unshare-cgroup"),
        *("--uid", "1000", "--gid", "1000", "--hostname", plan.name.replace("_", "-").strip("-")),
        *("--seccomp", str(seccomp), "--sync-fd", str(lifetime)),
        *_system(),
        *_etc(),
        *("--proc", "/proc", "--dev", "/dev"),
        *("--size", str(share), "--tmpfs", "/dev/shm", "--size", str(share), "--tmpfs", "/tmp"),
        *("--size", str(8 << 20), "--tmpfs", "/var/lib/xkb", "--symlink", "/tmp", "/var/tmp"),
        *("--bind", HOME, inside.HOME, "--bind", f"{COMPUTER}/run", inside.RUN),
        *(word for path in plan.beside for word in ("--bind", BESIDE + path, path)),
        *("--ro-bind", GUEST, "/opt/doer/inside"),
        *("--remount-ro", "/dev", "--remount-ro", "/"),
        *("--chdir", inside.HOME, "--clearenv", *settings, "--", *DAEMON),
    ]


def _system() -> list[str]:
    words = ["--ro-bind", f"{SYSTEM}/usr", "/usr"]
    for name, target in LINKS:
        words += ["--symlink", target, f"/{name}"]
    for name in OTHER:
        words += ["--ro-bind-try", f"{SYSTEM}/{name}", f"/{name}"]
    return words


def _etc() -> list[str]:
    """The system's harmless part, and over it the files that were made for this computer."""
    words: list[str] = []
    for name in ETC:
        words += ["--ro-bind-try", f"{SYSTEM}/etc/{name}", f"/etc/{name}"]
    made = Path(COMPUTER, "etc")
    for path in sorted(made.rglob("*")):
        if path.is_file():
            words += ["--ro-bind", str(path), f"/etc/{path.relative_to(made)}"]
    return words


def limit(plan: Plan) -> None:
    """Set the limits of the calling process, which its children inherit."""
    for what, amount in (
        (resource.RLIMIT_CORE, 0),
        (resource.RLIMIT_NPROC, plan.processes + 8),  # the wrapping counts as well
        (resource.RLIMIT_NOFILE, 16384),
        (resource.RLIMIT_FSIZE, plan.disk_mb << 20),
        (resource.RLIMIT_DATA, max(plan.memory_mb, 2048) << 20),
    ):
        hard = resource.getrlimit(what)[1]
        most = amount if hard == resource.RLIM_INFINITY else min(amount, hard)
        resource.setrlimit(what, (most, most))
