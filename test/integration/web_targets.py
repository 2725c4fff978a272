"""A tree of files with everything that must stay inside, and the request targets that try to get at it."""

import contextlib
import os
import secrets
import socket
import stat

from web_site import CAN_BE_DENIED, write_tree

PUBLIC = b"PUBLIC\n"
GOOD = "/good.txt"


class HostileTree:
    """`root` is served. Beside it, in its dot-files, behind its links and in its locked folder lie secrets."""

    def __init__(self, base):
        self.base = str(base)
        self.root = os.path.join(self.base, "root")
        # What lies outside; what the name of a dot hides; what the server's user may not read.
        self.outside, self.hidden, self.locked = (secrets.token_hex(16).encode() for _ in range(3))
        public = (
            "good.txt", "index.html", "sub/a.txt", "sub/deep/index.html", ".well-known/acme", "page.html", "..;/a.txt", "%2e%2e/a.txt",
            "a..b/a.txt", "con.txt", "UPPER.txt",
        )
        write_tree(self.root, {name: PUBLIC for name in public})
        outside = ("secret.txt", "outside/secret.txt", "outside/index.html", "root-copy/secret.txt", "rootsecret.txt")
        write_tree(self.base, {name: self.outside for name in outside})
        hidden = (
            ".env", ".htpasswd", ".git/config", ".git/index.html", "sub/.htpasswd", "..data/a.txt", ".well-known/.key", ".hidden/a.txt", "...",
            ".secret.txt.br", "sub/.git/HEAD",
        )
        write_tree(self.root, {name: self.hidden for name in hidden})
        if not CAN_BE_DENIED:
            self.locked = PUBLIC
        write_tree(self.root, {"locked/secret.txt": self.locked, "locked/index.html": self.locked, "unreadable.txt": self.locked})
        self._link()
        self._make_special()
        os.chmod(os.path.join(self.root, "unreadable.txt"), 0)
        os.chmod(os.path.join(self.root, "locked"), 0)

    def path(self, name):
        return os.path.join(self.root, name)

    def _link(self):
        links = {
            "link_in": "good.txt", "link_in_twice": "link_in", "folder_in": "sub", "sub/up_in": "../good.txt",
            "link_out": "../secret.txt", "link_of_link": "link_out", "link_absolute": f"{self.base}/secret.txt",
            "link_absolute_in": f"{self.root}/good.txt", "folder_out": "../outside", "folder_absolute": f"{self.base}/outside",
            "parent": "..", "sub/grandparent": "../..", "slash": "/", "etc": "/etc", "passwd": "/etc/passwd", "environ": "/proc/self/environ",
            "maps": "/proc/self/maps", "proc": "/proc", "proc_root": "/proc/self/root", "proc_cwd": "/proc/self/cwd", "proc_fd": "/proc/self/fd",
            "zero": "/dev/zero", "random": "/dev/urandom", "stdin": "/dev/stdin", "loop": "loop", "loop_a": "loop_b", "loop_b": "loop_a",
            "dangling": "nothing", "through": "sub/../../secret.txt", "in_and_out": "../root/../secret.txt", "out_and_in": "../root/good.txt",
            "page.html.br": "../secret.txt", "page.html.gz": "/etc/passwd", "hidden_by_link": ".env", "link_locked": "locked/secret.txt",
        }
        for name, target in links.items():
            os.symlink(target, self.path(name))
        for step in range(50):
            os.symlink("good.txt" if step == 0 else f"chain{step - 1}", self.path(f"chain{step}"))
        write_tree(self.root, {"index_out/": b"", "index_fifo/": b""})
        os.symlink("../../secret.txt", self.path("index_out/index.html"))

    def _make_special(self):
        os.mkfifo(self.path("fifo"))
        os.mkfifo(self.path("index_fifo/index.html"))
        os.mkfifo(self.path("good.txt.br"))
        os.symlink("fifo", self.path("link_fifo"))
        sock = socket.socket(socket.AF_UNIX)
        home = os.getcwd()
        os.chdir(self.root)  # a socket's address is short
        try:
            sock.bind("socket")
        finally:
            os.chdir(home)
            sock.close()
        with contextlib.suppress(PermissionError):  # only root makes devices
            os.mknod(self.path("zero_device"), 0o666 | stat.S_IFCHR, os.makedev(1, 5))
            os.mknod(self.path("tty_device"), 0o666 | stat.S_IFCHR, os.makedev(5, 0))

    def leaks(self, text, is_hidden_public=False):
        """Names of the secrets in it. The last two would come from /etc and /proc."""
        tokens = {"outside": self.outside, "passwd": b"root:x:0:", "environ": b"PATH=/", "maps": b" r-xp "}
        if CAN_BE_DENIED:
            tokens["locked"] = self.locked
        if not is_hidden_public:
            tokens["hidden"] = self.hidden
        return [name for name, token in tokens.items() if token in text]


def climbing():
    """Each way to write a step upwards, once and often, to what lies beside the root and far above it."""
    steps = [
        "../", "..%2f", "..%2F", "%2e%2e/", "%2E%2E%2F", "%2e./", ".%2e/", "%2e%2e%2f", "..\\", "..%5c", "..%5C", "%2e%2e%5c", "%252e%252e/",
        "%252e%252e%252f", "..%252f", "..%255c", "%c0%ae%c0%ae/", "%c0%ae%c0%ae%c0%af", "..%c0%af", "..%c1%9c", "..%e0%80%af", "..%f0%80%80%af",
        "..%ef%bc%8f", "%ef%bc%8e%ef%bc%8e/", "%uff0e%uff0e/", "%u002e%u002e/", "..;/", "..;a=b/", "..%3b/", ";/../", "..%00/", "%00../", "..%01/",
        "..%20/", "..%09/", "..%0a/", "..%0d%0a/", ".../", "....//", "..././", "./../", ".//../", "/..//", "sub/../../", "sub/deep/../../../",
        "folder_in/../../", "good.txt/../../", "parent/", "..%e2%88%95", "..%e2%81%84", "..//", "%2f../", "%5c../", "..%", "..%2", "..%zz/",
    ]
    names = ["secret.txt", "outside/secret.txt", "etc/passwd"]
    return ["/" + step * times + name for step in steps for times in (1, 2, 8) for name in names]


HIDDEN = [
    "/.env", "/%2eenv", "/%2Eenv", "/./.env", "/sub/../.env", "/.env/", "/.env/.", "/.env%20", "/.env%00", "/.env%00.txt", "/.env;x", "/.env.",
    "/.ENV", "/.Env", "//.env", "/sub//../.env", "/.env?x", "/.env%3fx", "/.htpasswd", "/.git", "/.git/", "/.git/config", "/.git/./config",
    "/.git/x/../config", "/%2egit/config", "/.git%2fconfig", "/.git//config", "/.GIT/config", "/.git/index.html", "/sub/.htpasswd",
    "/sub/%2ehtpasswd", "/folder_in/.htpasswd", "/.well-known/.key", "/.well-known/%2ekey", "/.well-known/../.env", "/.well-known%2f..%2f.env",
    "/.well-known/../.git/config", "/.WELL-KNOWN/.key", "/.hidden/a.txt", "/.hidden/", "/..data/a.txt", "/..data/", "/...", "/.../", "/....",
    "/.secret.txt.br", "/.secret.txt", "/%252eenv", "/%e2%80%8b.env", "/sub/.git/HEAD", "/sub/%2e%67it/HEAD", "/%2e%65%6e%76",
]
DOTS = ["/..", "/../", "/.", "/./", "/%2e", "/%2e%2e", "/%2e%2e/", "/..%2f", "/.%2f", "/sub/..", "/sub/../..", "/sub/..;/..", "/..;/", "/..;/a.txt", "/.;/a.txt", "/..%3b/a.txt"]
LINKS = [
    "/link_out", "/link_out/", "/link_out?x", "/link_of_link", "/link_absolute", "/link_absolute_in", "/folder_out/", "/folder_out", "/folder_out/secret.txt",
    "/folder_out/index.html", "/folder_absolute/secret.txt", "/parent/secret.txt", "/parent/root/good.txt", "/parent/root-copy/secret.txt", "/parent/",
    "/sub/grandparent/secret.txt", "/sub/grandparent/root/.env", "/slash/etc/passwd", "/slash/", "/etc/passwd", "/passwd", "/environ", "/maps",
    "/proc/self/environ", "/proc/self/root/etc/passwd", "/proc/self/cwd/", "/proc/1/environ", "/proc_root/etc/passwd", "/proc_cwd/", "/proc_fd/0",
    "/proc_fd/1", "/proc_fd/5", "/zero", "/random", "/stdin", "/loop", "/loop/x", "/loop_a", "/dangling", "/dangling/", "/through", "/in_and_out",
    "/out_and_in", "/index_out/", "/index_out", "/index_out/index.html", "/page.html.br", "/page.html.gz", "/chain49", "/hidden_by_link/x",
]
SPECIAL = ["/fifo", "/fifo/", "/link_fifo", "/index_fifo/", "/index_fifo", "/index_fifo/index.html", "/good.txt.br", "/socket", "/zero_device", "/tty_device"]
LOCKED = ["/locked", "/locked/", "/locked/secret.txt", "/locked/index.html", "/locked/missing", "/locked/../locked/secret.txt", "/unreadable.txt", "/link_locked"]
SYSTEM = [
    "/etc/passwd", "//etc/passwd", "/%2fetc/passwd", "/etc%2fpasswd", "/proc/self/environ", "/dev/zero", "/dev/stdin", "//dev/stdin", "/c:/windows/win.ini",
    "/C:%5cwindows%5cwin.ini", "/\\\\host\\share", "/~root/", "/~", "/file:///etc/passwd", "/$HOME", "/${PATH}", "/`id`", "/*", "/good.txt*", "/|id", "/-",
    "/con", "/nul", "/secret.txt::$DATA", "/root/good.txt", "/root-copy/secret.txt", "/secret.txt", "/outside/secret.txt",
]
ODD = [
    "/good.txt%00", "/good.txt%00.html", "/%00good.txt", "/good%00.txt", "/%00", "/good.txt%0a", "/good.txt%0d%0aX:%20y", "/good.txt%20", "/%20good.txt",
    "/good.txt.", "/good.txt/", "/good.txt/.", "/good.txt/..", "/good.txt//", "/good.txt%2f", "/good.txt\\", "/good.txt%5c", "/GOOD.TXT", "/upper.TXT",
    "/good.txt;v=1", "/good.txt%3Bv=1", "/;/good.txt", "/good.txt%", "/good.txt%4", "/good.txt%zz", "/%ff%fe", "/%c3", "/%ed%a0%80", "/%f4%90%80%80",
    "/%80", "/good.txt%7f", "/%01", "/%1f", "/a%2fb", "/sub%2fa.txt", "/sub%5ca.txt", "/sub\\a.txt", "/%2e%2e/a.txt", "/%252e%252e/a.txt", "/a..b/..;/x",
    "/good.txt#x", "/good.txt%23x", "/#", "/?../secret.txt", "/good.txt?../../secret.txt", "/good.txt??", "/+", "/%2B", "/good+txt",
    b"/caf\xc3\xa9", b"/\xff", b"/good.txt\x00", b"/good.txt\x01", b"/a\tb", b"/good.txt\x7f", b"/a\rb", b"/a\x0bb",
]
FORMS = [
    "*", "good.txt", "secret.txt", "../secret.txt", "..", ".", "", "?", "?x", "#", "\\secret.txt", "C:\\secret.txt", "w.test", "w.test:80", "//", "///",
    "http://w.test", "http://w.test/", "http://w.test/../secret.txt", "http://w.test/%2e%2e/secret.txt", "http://w.test/..%2fsecret.txt", "http://w.test//etc/passwd",
    "http://w.test/.env", "http://w.test/link_out", "http:///secret.txt", "http:secret.txt", "http:/secret.txt", "http://", "http://../secret.txt",
    "http://w.test@evil.com/.env", "http://w.test:99999/.env", "http://[::1/.env", "https://w.test/.env", "ftp://w.test/.env", "file:///etc/passwd", "file:/etc/passwd",
    "http://w.test\\..\\secret.txt", "http://evil.com/../secret.txt", "HTTP://W.TEST/.env",
]
LONG = [
    "/" + "a" * 255, "/" + "a" * 256, "/" + "a" * 4000, "/" + "a/" * 2000, "/" + "../" * 2000 + "secret.txt", "/sub/" + "../sub/" * 1000 + "../../secret.txt",
    "/" + "./" * 3000 + "good.txt", "/" + "sub/../" * 1000 + ".env", "/" + "%2e" * 1000, "/" + "%61" * 256, "/" + "/" * 4000, "/good.txt?" + "x" * 7000,
    "/" + "a" * 8191, "/" + "a" * 8192, "/" + "a" * 9000, "/" + "a" * 12000, "/" + "a/" * 60 + "a" * 255, "/" + ("b" * 200 + "/") * 25 + "x",
    "/" + "%c3%a9" * 127, "/" + "%c3%a9" * 128, "/" + "x" * 100 + "/../" + ".env",
]
GROUPS = {
    "climbing": climbing(), "hidden": HIDDEN, "dots": DOTS, "links": LINKS, "special": SPECIAL, "locked": LOCKED, "system": SYSTEM, "odd": ODD,
    "forms": FORMS, "long": LONG,
}
