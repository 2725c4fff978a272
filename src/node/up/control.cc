#include "node/up/control.h"

#include <sys/signalfd.h>
#include <sys/stat.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <format>

#include "node/control/refusal.h"
#include "runtime/process.h"

namespace node {

using core::ErrorKind;
using core::fail;

namespace {

constexpr size_t kFrozenMax = 16;

}  // namespace

UpControl::UpControl(World world) : world_(std::move(world)) {}

UpControl::~UpControl() {
    thaw_all();
    if (reactor_ == nullptr) {
        return;
    }
    if (!reactor_->is_done()) {
        reactor_->request_stop();
        while (!reactor_->is_done()) {
            reactor_->turn(core::Duration::zero());
        }
    }
    if (signal_slot_ >= 0) {
        reactor_->unwatch(static_cast<uint32_t>(signal_slot_));
    }
    if (!path_.empty()) {
        ::unlink(path_.c_str());
    }
}

void UpControl::listen_once(const std::string& path) {
    if (std::exchange(was_tried_, true)) {
        return;
    }
    if (auto opened = open(path); !opened) {
        world_.log.warn(
            "up",
            "cannot listen on its own socket: drills cannot be done",
            {{"reason", opened.error().context()}}
        );
    }
}

core::Result<void> UpControl::open(const std::string& path) {
    TRY(net::Address address, net::Address::of_unix_path(path));
    TRY(reactor_, runtime::Reactor::open(world_.os));
    signal_ = runtime::Descriptor(::signalfd(-1, &world_.signals, SFD_CLOEXEC | SFD_NONBLOCK));
    signal_slot_ = signal_.is_open() ? reactor_->watch(signal_.get()) : -1;
    if (signal_slot_ < 0) {
        return fail(ErrorKind::exhausted, "no descriptor is left");
    }
    ::unlink(path.c_str());
    mode_t before = ::umask(0177);
    auto listener = net::Listener::open(*reactor_, address, {});
    ::umask(before);
    if (!listener) {
        return fail(std::move(listener).error());
    }
    path_ = path;
    server_ = std::make_unique<ControlServer>(
        *reactor_,
        *std::move(listener),
        [this](const ControlRequest& request) { return answer(request); }
    );
    reactor_->start(server_->serve());
    return {};
}

int UpControl::wait(core::Duration bound) {
    core::Duration rest = bound;
    if (server_ != nullptr) {
        reactor_->turn(bound);
        rest = core::Duration::zero();
    }
    thaw_due();
    timespec time{.tv_sec = 0, .tv_nsec = rest.count()};
    return ::sigtimedwait(&world_.signals, nullptr, &time);
}

ControlReply UpControl::answer(const ControlRequest& request) {
    if (request.path == "/v1/status") {
        bool is_reading = request.method == http::Method::get || request.method == http::Method::head;
        return is_reading ? ControlReply{.body = format_up_status(status())}
                          : error_reply(405, "this path is read with GET");
    }
    bool is_kill = request.path == "/v1/kill";
    bool is_freeze = request.path == "/v1/freeze";
    if (!is_kill && !is_freeze && request.path != "/v1/thaw") {
        return error_reply(404, "there is no such path; docs/control.md lists them");
    }
    if (request.method != http::Method::post) {
        return error_reply(405, "an order is given with POST");
    }
    if (is_kill || is_freeze) {
        auto deed = parse_up_deed(request.body);
        auto done = deed ? (is_kill ? kill(*deed) : freeze(*deed)) : fail(std::move(deed).error());
        return done ? ControlReply{.body = "{\"done\":true}\n"} : error_reply(done.error());
    }
    thaw_all();
    return {.body = "{\"done\":true}\n"};
}

UpStatus UpControl::status() const {
    UpStatus status = world_.identity;
    status.servers = world_.servers();
    core::Instant now = world_.os.now();
    for (const Frozen& frozen : frozen_) {
        status.frozen.push_back({
            .server = frozen.server,
            .pid = frozen.pid,
            .left = std::max(frozen.until - now, core::Duration::zero()),
        });
    }
    return status;
}

core::Result<runtime::Descriptor> UpControl::find_process(const UpDeed& deed) const {
    std::vector<UpServerStatus> servers = world_.servers();
    auto server = std::ranges::find(servers, deed.server, &UpServerStatus::server);
    if (server == servers.end()) {
        return fail(ErrorKind::not_found, std::format("no server \"{}\" is run here", deed.server));
    }
    if (server->pid <= 0) {
        return fail(ErrorKind::conflict, std::format("{} does not run just now", deed.server));
    }
    auto pid = static_cast<pid_t>(deed.pid == 0 ? server->pid : deed.pid);
    // The pidfd first: then what is found to descend from the server is the process that it pins, or that one
    // has ended, and the signal meets nobody.
    runtime::Descriptor process(runtime::open_process(pid));
    bool is_meant = process.is_open() &&
                    (deed.pid == 0 ||
                     std::ranges::contains(runtime::descendants_of(static_cast<pid_t>(server->pid)), pid));
    if (!is_meant) {
        return fail(ErrorKind::conflict, std::format("{} has no process {}", deed.server, pid));
    }
    return process;
}

core::Result<void> UpControl::kill(const UpDeed& deed) {
    TRY(runtime::Descriptor process, find_process(deed));
    if (int status = runtime::send_signal(process.get(), SIGKILL); status < 0) {
        return fail(core::Error::of_errno(-status, "killing a process of " + deed.server));
    }
    world_.log.warn(
        "up",
        "killed by order",
        {{"server", deed.server}, {"process", deed.pid == 0 ? "its own" : std::to_string(deed.pid)}}
    );
    return {};
}

core::Result<void> UpControl::freeze(const UpDeed& deed) {
    if (deed.pid == 0 || deed.lasting == core::Duration::zero()) {
        return fail(ErrorKind::invalid, "say which process, and for how many seconds");
    }
    if (frozen_.size() >= kFrozenMax) {
        return fail(ErrorKind::conflict, std::format("{} processes are stopped already", kFrozenMax));
    }
    if (std::ranges::contains(frozen_, static_cast<pid_t>(deed.pid), &Frozen::pid)) {
        return fail(ErrorKind::conflict, std::format("process {} is stopped already", deed.pid));
    }
    TRY(runtime::Descriptor process, find_process(deed));
    if (int status = runtime::send_signal(process.get(), SIGSTOP); status < 0) {
        return fail(core::Error::of_errno(-status, "stopping a process of " + deed.server));
    }
    world_.log.warn(
        "up",
        "stopped by order",
        {{"server", deed.server},
         {"process", std::to_string(deed.pid)},
         {"for", core::format_duration(deed.lasting)}}
    );
    frozen_.push_back({
        .server = deed.server,
        .pid = static_cast<pid_t>(deed.pid),
        .process = std::move(process),
        .until = world_.os.now() + deed.lasting,
    });
    return {};
}

void UpControl::thaw_due() {
    core::Instant now = world_.os.now();
    std::erase_if(frozen_, [&](const Frozen& frozen) {
        bool is_due = frozen.until <= now;
        // One that was killed meanwhile needs nothing more, and is told no more.
        bool is_gone = is_due && runtime::send_signal(frozen.process.get(), SIGCONT) < 0;
        if (is_due && !is_gone) {
            world_.log.info(
                "up",
                "goes on after its time",
                {{"server", frozen.server}, {"process", std::to_string(frozen.pid)}}
            );
        }
        return is_due;
    });
}

void UpControl::thaw_all() {
    for (Frozen& frozen : frozen_) {
        frozen.until = world_.os.now();
    }
    thaw_due();
}

}  // namespace node
