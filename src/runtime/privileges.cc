#include "runtime/privileges.h"

#include <grp.h>
#include <linux/capability.h>
#include <sys/fsuid.h>
#include <sys/prctl.h>
#include <sys/syscall.h>
#include <unistd.h>

#include <array>
#include <cerrno>
#include <csignal>
#include <format>

#include "core/panic.h"

namespace runtime {

namespace {

using Capabilities = uint64_t;

constexpr auto kNoUser = static_cast<uid_t>(-1);

constexpr std::array<int, 3> kOfUsers{CAP_SETUID, CAP_SETGID, CAP_KILL};

constexpr Capabilities bit(int capability) { return Capabilities{1} << capability; }

struct CapabilityRecord {
    __user_cap_header_struct head{.version = _LINUX_CAPABILITY_VERSION_3, .pid = 0};
    std::array<__user_cap_data_struct, 2> halves{};
};

Capabilities permitted_capabilities() {
    CapabilityRecord record;
    if (::syscall(SYS_capget, &record.head, record.halves.data()) != 0) {
        return 0;
    }
    return Capabilities{record.halves[0].permitted} | Capabilities{record.halves[1].permitted} << 32;
}

int set_capabilities(Capabilities effective, Capabilities inheritable) {
    CapabilityRecord record;
    for (unsigned half = 0; half < record.halves.size(); ++half) {
        record.halves[half] = {
            .effective = static_cast<uint32_t>(effective >> (half * 32)),
            .permitted = static_cast<uint32_t>(effective >> (half * 32)),
            .inheritable = static_cast<uint32_t>(inheritable >> (half * 32)),
        };
    }
    return ::syscall(SYS_capset, &record.head, record.halves.data()) == 0 ? 0 : errno;
}

int control(int option, unsigned long argument) {
    return ::prctl(option, argument, 0UL, 0UL, 0UL) == 0 ? 0 : errno;
}

// What is handed down goes through an exec only if it is ambient too.
int keep(Capabilities kept, Capabilities handed_down) {
    int failed = set_capabilities(kept, handed_down);
    for (int capability : kOfUsers) {
        if (failed == 0 && (handed_down & bit(capability)) != 0) {
            failed = ::prctl(PR_CAP_AMBIENT, PR_CAP_AMBIENT_RAISE, capability, 0, 0) == 0 ? 0 : errno;
        }
    }
    return failed;
}

int death_signal() {
    int number = 0;
    ::prctl(PR_GET_PDEATHSIG, &number);
    return number;
}

std::vector<gid_t> groups_of(const Account& account) {
    int count = 64;
    std::vector<gid_t> groups(static_cast<size_t>(count));
    while (::getgrouplist(account.name.c_str(), account.gid, groups.data(), &count) < 0) {
        groups.resize(static_cast<size_t>(count));
    }
    groups.resize(static_cast<size_t>(count));
    return groups;
}

// Of this thread alone: the library's call would do it to all.
int set_own_groups(const std::vector<gid_t>& groups) {
    return static_cast<int>(::syscall(SYS_setgroups, groups.size(), groups.data()));
}

}  // namespace

core::Result<void> drop_root(const Drop& drop) {
    // A change of user clears the death signal; the parent may die before it is set again.
    int signal = death_signal();
    pid_t parent = ::getppid();
    Capabilities handed_down = 0;
    if (drop.kept == KeptRights::low_ports_and_users) {
        for (int capability : kOfUsers) {
            handed_down |= bit(capability);
        }
    }
    Capabilities available = permitted_capabilities();
    handed_down &= available;
    Capabilities kept = (bit(CAP_NET_BIND_SERVICE) & available) | handed_down;
    int failed = control(PR_SET_KEEPCAPS, 1);
    failed = failed != 0 ? failed : become_account(drop.account);
    failed = failed != 0 ? failed : control(PR_SET_KEEPCAPS, 0);
    failed = failed != 0 ? failed : keep(kept, handed_down);
    failed = failed != 0 ? failed : control(PR_SET_DUMPABLE, 0);
    if (failed == 0 && drop.setuid_programs == SetuidPrograms::end) {
        failed = control(PR_SET_NO_NEW_PRIVS, 1);
    }
    failed = failed != 0 ? failed : control(PR_SET_PDEATHSIG, static_cast<unsigned long>(signal));
    if (failed != 0) {
        return core::fail(core::Error::of_errno(failed, "going on as user " + drop.account.name));
    }
    if (signal != 0 && ::getppid() != parent) {
        ::raise(signal);
    }
    return {};
}

int clear_capabilities() {
    int failed = ::prctl(PR_CAP_AMBIENT, PR_CAP_AMBIENT_CLEAR_ALL, 0, 0, 0) == 0 ? 0 : errno;
    return failed != 0 ? failed : set_capabilities(0, 0);
}

FileRights::FileRights(const Account& account) {
    // Both calls give what was before, and change nothing for a number that is nobody's.
    user_ = static_cast<uid_t>(::setfsuid(kNoUser));
    group_ = static_cast<gid_t>(::setfsgid(kNoUser));
    if (::geteuid() != 0 || account.uid == user_) {
        return;
    }
    death_signal_ = death_signal();
    dumpable_ = ::prctl(PR_GET_DUMPABLE);
    int count = ::getgroups(0, nullptr);
    groups_.resize(static_cast<size_t>(count));
    ASSERT(::getgroups(count, groups_.data()) == count);
    is_borrowed_ = true;
    become({.user = account.uid, .group = account.gid, .groups = groups_of(account)});
}

FileRights::~FileRights() {
    if (is_borrowed_) {
        become({.user = user_, .group = group_, .groups = groups_});
        ::prctl(PR_SET_DUMPABLE, dumpable_ == 1 ? 1 : 0);
    }
}

void FileRights::become(const Rights& rights) const {
    pid_t parent = ::getppid();
    // In a sandbox without the right to do so they stay; the drop itself will say so.
    [[maybe_unused]] int status = set_own_groups(rights.groups);
    ::setfsgid(rights.group);
    ::setfsuid(rights.user);
    // The kernel has taken it away, and the parent may die before it is set again.
    ::prctl(PR_SET_PDEATHSIG, death_signal_);
    if (death_signal_ != 0 && ::getppid() != parent) {
        ::raise(death_signal_);
    }
}

}  // namespace runtime
