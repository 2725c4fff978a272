// What a process keeps after it was root, each in a process of its own; without root there is nothing to
// drop.
#include "runtime/privileges.h"

#include <fcntl.h>
#include <sys/prctl.h>
#include <sys/wait.h>
#include <unistd.h>

#include <cerrno>
#include <csignal>
#include <cstdlib>
#include <functional>
#include <string>

#include <doctest/doctest.h>

#include "runtime/process.h"

namespace runtime {
namespace {

// The exit status of a child that does it: 0 where everything held, else the number of what did not.
int in_child(const std::function<int()>& what) {
    pid_t child = ::fork();
    if (child == 0) {
        ::_exit(what());
    }
    int status = 0;
    ::waitpid(child, &status, 0);
    return WIFEXITED(status) ? WEXITSTATUS(status) : -1;
}

bool has_line(const std::string& text, const std::string& line) { return text.contains(line + "\n"); }

std::string own_status() { return read_system_file("/proc/self/status"); }

Account nobody() {
    auto account = account_named("nobody");
    REQUIRE(account);
    return *account;
}

// A directory that only root may enter.
class LockedDirectory {
public:
    LockedDirectory() { REQUIRE(::mkdtemp(path_.data()) != nullptr); }

    LockedDirectory(const LockedDirectory&) = delete;
    LockedDirectory& operator=(const LockedDirectory&) = delete;

    ~LockedDirectory() { ::rmdir(path_.c_str()); }

    // 0 or an errno: whether a file can be made in it.
    [[nodiscard]] int make() const {
        int fd = ::open((path_ + "/x").c_str(), O_CREAT | O_WRONLY | O_CLOEXEC, 0600);
        if (fd < 0) {
            return errno;
        }
        ::close(fd);
        ::unlink((path_ + "/x").c_str());
        return 0;
    }

private:
    std::string path_ = "/tmp/trilith-rights-XXXXXX";
};

TEST_CASE("who was root is another user, with one capability and without a way back") {
    if (::geteuid() != 0) {
        return;
    }
    Drop drop{.account = nobody(), .setuid_programs = SetuidPrograms::end};
    int failed = in_child([&] {
        ::prctl(PR_SET_PDEATHSIG, SIGTERM);
        if (!drop_root(drop)) {
            return 1;
        }
        std::string status = own_status();
        std::string uid = std::to_string(drop.account.uid);
        if (!has_line(status, "Uid:\t" + uid + "\t" + uid + "\t" + uid + "\t" + uid)) {
            return 2;
        }
        if (!has_line(status, "CapEff:\t0000000000000400") ||
            !has_line(status, "CapPrm:\t0000000000000400") ||
            !has_line(status, "CapAmb:\t0000000000000000") || !has_line(status, "NoNewPrivs:\t1")) {
            return 3;
        }
        int signal = 0;
        ::prctl(PR_GET_PDEATHSIG, &signal);
        if (signal != SIGTERM || ::prctl(PR_GET_DUMPABLE) != 0) {
            return 4;
        }
        return ::setuid(0) == 0 || ::setgid(0) == 0 ? 5 : 0;
    });
    CHECK(failed == 0);
}

// Rights are a thread's own. ThreadSanitizer's thread has not these, and the C library ends a process whose
// threads would go on as different users.
#if !__has_feature(thread_sanitizer)
TEST_CASE("who starts a program as another user keeps the rights for it, and can give them up") {
    if (::geteuid() != 0) {
        return;
    }
    Drop drop{.account = nobody(), .kept = KeptRights::low_ports_and_users};
    int failed = in_child([&] {
        if (!drop_root(drop)) {
            return 1;
        }
        if (!has_line(own_status(), "CapEff:\t00000000000004e0") ||
            !has_line(own_status(), "CapAmb:\t00000000000000e0")) {
            return 2;
        }
        if (become_account({.name = "games", .uid = 5, .gid = 60, .home = "/"}) != 0) {
            return 3;
        }
        if (clear_capabilities() != 0) {
            return 4;
        }
        return has_line(own_status(), "CapEff:\t0000000000000000") &&
                       has_line(own_status(), "CapPrm:\t0000000000000000") &&
                       has_line(own_status(), "CapAmb:\t0000000000000000")
                   ? 0
                   : 5;
    });
    CHECK(failed == 0);
}
#endif

TEST_CASE("file rights are borrowed and given back") {
    if (::geteuid() != 0) {
        return;
    }
    LockedDirectory locked;
    std::string before = own_status();
    CHECK(locked.make() == 0);
    {
        FileRights rights(nobody());
        CHECK(locked.make() == EACCES);
    }
    CHECK(locked.make() == 0);
    for (const char* key : {"Uid:", "Gid:", "Groups:", "CapEff:"}) {
        auto line = [key](const std::string& text) {
            size_t at = text.find(std::string("\n") + key);
            return text.substr(at, text.find('\n', at + 1) - at);
        };
        CHECK(line(own_status()) == line(before));
    }
    CHECK(::prctl(PR_GET_DUMPABLE) == 1);
}

TEST_CASE("root's own rights are borrowed back within somebody else's") {
    if (::geteuid() != 0) {
        return;
    }
    LockedDirectory locked;
    FileRights rights(nobody());
    {
        FileRights roots(root_account());
        CHECK(locked.make() == 0);
    }
    CHECK(locked.make() == EACCES);
    {
        FileRights same(nobody());
        CHECK(locked.make() == EACCES);
    }
    CHECK(locked.make() == EACCES);
}

TEST_CASE("the rights of root itself change nothing") {
    LockedDirectory locked;
    FileRights rights(root_account());
    CHECK(locked.make() == 0);
}

}  // namespace
}  // namespace runtime
