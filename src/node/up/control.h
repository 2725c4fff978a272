// What `trilith up` does besides its watch: answers on its own socket, RUNTIME/up.sock, which servers it
// runs, and kills or stops a process of theirs where a drill asks for it. Whatever becomes of the drill, a
// process that was stopped goes on in time.
#pragma once

#include <sys/types.h>

#include <csignal>
#include <functional>
#include <memory>
#include <string>
#include <vector>

#include "core/log.h"
#include "node/control/server.h"
#include "node/control/up_json.h"
#include "runtime/descriptor.h"
#include "runtime/reactor.h"

namespace node {

class UpControl {
public:
    // What it says of itself; `servers` and `frozen` are filled in when it is asked.
    struct World {
        runtime::Os& os;
        core::Log& log;
        UpStatus identity;
        sigset_t signals;  // blocked in this process
        std::function<std::vector<UpServerStatus>()> servers;
    };

    explicit UpControl(World world);
    // Lets go on what is stopped, and removes the socket.
    ~UpControl();
    UpControl(const UpControl&) = delete;
    UpControl& operator=(const UpControl&) = delete;

    // Listens on the socket at `path`, in a directory that a server of this site has prepared; at the first
    // call only. A process of ours holds the lock of a server, so what is there was left by a dead one. Where
    // it cannot listen, that is logged, and the site runs without.
    void listen_once(const std::string& path);

    // Answers whoever asks until one of the signals comes, which it gives, or about `bound` is over: -1.
    [[nodiscard]] int wait(core::Duration bound);

    void thaw_all();

private:
    struct Frozen {
        std::string server;
        pid_t pid = 0;
        runtime::Descriptor process;  // pidfd
        core::Instant until;
    };

    [[nodiscard]] core::Result<void> open(const std::string& path);
    [[nodiscard]] ControlReply answer(const ControlRequest& request);
    [[nodiscard]] UpStatus status() const;
    [[nodiscard]] core::Result<void> kill(const UpDeed& deed);
    [[nodiscard]] core::Result<void> freeze(const UpDeed& deed);
    // The pidfd of the process that is meant.
    [[nodiscard]] core::Result<runtime::Descriptor> find_process(const UpDeed& deed) const;
    void thaw_due();

    World world_;
    bool was_tried_ = false;
    std::string path_;  // of the socket; empty: none
    std::unique_ptr<runtime::Reactor> reactor_;
    std::unique_ptr<ControlServer> server_;
    runtime::Descriptor signal_;  // readable while a signal waits, so that it ends the reactor's wait
    int64_t signal_slot_ = -1;
    std::vector<Frozen> frozen_;
};

}  // namespace node
