// How a process that was started as root goes on as somebody else, and what it keeps (capabilities(7)).
#pragma once

#include <sys/types.h>

#include <cstdint>
#include <vector>

#include "core/result.h"
#include "runtime/account.h"

namespace runtime {

enum class KeptRights : uint8_t {
    low_ports,            // CAP_NET_BIND_SERVICE
    low_ports_and_users,  // and, for the processes that it starts too, CAP_SETUID, CAP_SETGID and CAP_KILL
};

// Of what this process and all that it starts may run.
enum class SetuidPrograms : uint8_t { stay_allowed, end };  // end: no_new_privs

struct Drop {
    Account account;
    KeptRights kept = KeptRights::low_ports;
    SetuidPrograms setuid_programs = SetuidPrograms::stay_allowed;
};

// Becomes the account for good, with those rights of what we have and no others. Before there are other
// threads: capabilities are a thread's own, and those that come later inherit them. The process is not
// dumpable afterwards, so nobody of its account may look into it or trace it, and its death signal
// (PR_SET_PDEATHSIG) is kept. After an error it must end.
[[nodiscard]] core::Result<void> drop_root(const Drop& drop);

// Of the calling thread, all of them. 0 or a positive errno.
[[nodiscard]] int clear_capabilities();

// The files that an account may reach, for root to try: while this lives the calling thread has that
// account's rights in the file system, and what it makes belongs to that account. Nothing changes where we
// are not root. One within another, root's within somebody else's too; the other threads stay as they are.
class FileRights {
public:
    explicit FileRights(const Account& account);
    FileRights(const FileRights&) = delete;
    FileRights& operator=(const FileRights&) = delete;
    ~FileRights();

private:
    struct Rights {
        uid_t user;
        gid_t group;
        const std::vector<gid_t>& groups;
    };

    void become(const Rights& rights) const;

    bool is_borrowed_ = false;
    uid_t user_ = 0;             // whose rights the thread had before
    gid_t group_ = 0;            // the same
    std::vector<gid_t> groups_;  // the same
    int death_signal_ = 0;
    int dumpable_ = 0;
};

}  // namespace runtime
