// Descriptors, readiness and time of the simulated system; see sim_os.h.
#include "sim/sim_os.h"

#include <algorithm>
#include <cerrno>
#include <cstring>

#include "core/panic.h"

namespace sim {

namespace {

constexpr core::Duration kWallStart = std::chrono::seconds(1'800'000'000);

// EPOLLHUP as the program sees it: both directions have ended.
constexpr uint32_t kHungUp = runtime::kReadable | runtime::kWritable | runtime::kHangup | runtime::kFailed;

template <class... F>
struct Overloaded : F... {
    using F::operator()...;
};

}  // namespace

SimOs::SimOs(uint64_t seed, const WireConfig& config) : wire_(seed, config), entropy_(~seed) {}

void SimOs::advance_to(core::Instant instant) {
    ASSERT(instant >= now_);
    ASSERT(!instant.is_never());
    while (wire_.next_arrival() <= instant) {
        now_ = std::max(now_, wire_.next_arrival());
        if (auto packet = wire_.take(now_)) {
            deliver(*packet);
        }
    }
    now_ = instant;
}

bool SimOs::has_ready() const {
    return std::ranges::any_of(descriptors_, [&](const auto& entry) {
        const Poll* poll = std::get_if<Poll>(&entry.second.kind);
        return poll && !paused_.contains(entry.second.owner) && !poll->ready.empty();
    });
}

std::string SimOs::describe_descriptors() const {
    std::string text;
    for (const auto& [fd, descriptor] : descriptors_) {
        text += std::to_string(fd) + " of " + to_string(descriptor.owner);
        text += std::visit(
            Overloaded{
                [](const Poll&) -> std::string { return " poll"; },
                [](const Wake&) -> std::string { return " wake"; },
                [](const Fresh&) -> std::string { return " socket"; },
                [](const Listener&) -> std::string { return " listener"; },
                [&](const Stream& stream) {
            const Connection& connection = connections_.at(stream.connection);
            const End& own = connection.ends[stream.side];
            const End& other = connection.ends[1 - stream.side];
            return " stream " + to_string(own.place.host) + ":" + std::to_string(own.place.port) + " to " +
                   to_string(other.place.host) + ":" + std::to_string(other.place.port);
        },
            },
            descriptor.kind
        );
        text += "\n";
    }
    return text;
}

core::WallTime SimOs::wall_time() { return {kWallStart + now_.since_start}; }

void SimOs::fill_random(std::span<std::byte> target) {
    for (std::byte& byte : target) {
        byte = static_cast<std::byte>(entropy_.next() >> 56);
    }
}

int SimOs::open_poll() { return open(Poll{}); }

int SimOs::watch(int poll, int fd, uint64_t tag) {
    Descriptor& watched = at(fd);
    auto* set = std::get_if<Poll>(&at(poll).kind);
    ASSERT(set != nullptr);
    if (watched.poll >= 0) {
        return -EEXIST;
    }
    watched.poll = poll;
    watched.tag = tag;
    set->watched.insert(fd);
    if (look_at(watched) != 0) {
        edge(fd);
    }
    return 0;
}

int SimOs::watch_writing(int, int fd, uint64_t tag) {
    Descriptor& watched = at(fd);
    ASSERT(watched.poll >= 0 && watched.tag == tag);
    watched.is_write_watched = true;
    if (look_at(watched) != 0) {
        edge(fd);
    }
    return 0;
}

int SimOs::wait(int poll, std::span<runtime::PollEvent> events, core::Duration) {
    Descriptor& owner = at(poll);
    auto* set = std::get_if<Poll>(&owner.kind);
    ASSERT(set != nullptr);
    ASSERT(!events.empty());
    if (paused_.contains(owner.owner)) {
        return 0;
    }
    size_t filled = 0;
    while (!set->ready.empty() && filled < events.size()) {
        int fd = set->ready.front();
        set->ready.pop_front();
        Descriptor& descriptor = at(fd);
        descriptor.is_queued = false;
        // As in Linux, an edge whose cause is gone by now reports nothing, and one that holds reports all
        // that holds.
        uint32_t readiness = look_at(descriptor);
        if (!descriptor.is_write_watched && (readiness & runtime::kFailed) == 0) {
            readiness &= ~uint32_t{runtime::kWritable};
        }
        if (readiness != 0) {
            events[filled++] = {.tag = descriptor.tag, .readiness = readiness};
        }
    }
    if (filled > 0 && filled < events.size() && wire_.draw(wire_.config().spurious_percent)) {
        if (int fd = spurious_edge(*set); fd >= 0) {
            events[filled++] = {.tag = at(fd).tag, .readiness = runtime::kReadable | runtime::kWritable};
        }
    }
    return static_cast<int>(filled);
}

int SimOs::open_timer() { return open(Wake{}); }

int SimOs::open_wake() { return open(Wake{}); }

void SimOs::wake(int fd) {
    auto* raised = std::get_if<Wake>(&at(fd).kind);
    ASSERT(raised != nullptr);
    raised->is_raised = true;
    edge(fd);
}

void SimOs::clear_wake(int fd) {
    auto* raised = std::get_if<Wake>(&at(fd).kind);
    ASSERT(raised != nullptr);
    raised->is_raised = false;
}

void SimOs::close(int fd) {
    ASSERT(is_open(fd));
    auto node = descriptors_.extract(fd);
    Descriptor& closed = node.mapped();
    if (closed.poll >= 0) {
        Poll& poll = std::get<Poll>(at(closed.poll).kind);
        poll.watched.erase(fd);
        std::erase(poll.ready, fd);
    }
    if (auto* poll = std::get_if<Poll>(&closed.kind)) {
        for (int watched : poll->watched) {
            at(watched).poll = -1;
            at(watched).is_queued = false;
        }
    } else if (auto* listener = std::get_if<Listener>(&closed.kind)) {
        for (uint64_t id : listener->queue) {
            connections_.at(id).ends[1].state = EndState::closed;
            send_reset(id, 0);
        }
    } else if (auto* stream = std::get_if<Stream>(&closed.kind)) {
        close_stream(*stream);
    }
}

int SimOs::open_pipe(int (&)[2], int) { return -ENOSYS; }

ssize_t SimOs::splice(int, int, size_t) { return -ENOSYS; }

// No program in simulation has files.
ssize_t SimOs::send_file(int, int, uint64_t, size_t) { return -ENOSYS; }

int SimOs::open(Kind kind) {
    descriptors_.emplace(next_descriptor_, Descriptor{.owner = current_, .kind = std::move(kind)});
    return next_descriptor_++;
}

SimOs::Descriptor& SimOs::at(int fd) {
    auto found = descriptors_.find(fd);
    if (found == descriptors_.end()) {
        PANIC("use of a descriptor that is not open: " + std::to_string(fd));
    }
    return found->second;
}

void SimOs::edge(int fd) {
    if (fd < 0) {
        return;
    }
    Descriptor& descriptor = at(fd);
    if (descriptor.poll >= 0 && !descriptor.is_queued) {
        descriptor.is_queued = true;
        std::get<Poll>(at(descriptor.poll).kind).ready.push_back(fd);
    }
}

// What epoll sees. Looking at a stream without space for sending asks for the edge of free space, as
// tcp_poll() sets SOCK_NOSPACE.
uint32_t SimOs::look_at(const Descriptor& descriptor) {
    uint32_t readiness = level(descriptor);
    if (auto* stream = std::get_if<Stream>(&descriptor.kind);
        stream && (readiness & runtime::kWritable) == 0) {
        end_of(*stream).wants_space = true;
    }
    return readiness;
}

// Source: Linux, tcp_poll() and eventfd_poll().
uint32_t SimOs::level(const Descriptor& descriptor) const {
    return std::visit(
        Overloaded{
            [](const Poll&) -> uint32_t { return 0; },
            [](const Wake& wake) -> uint32_t { return wake.is_raised ? runtime::kReadable : 0; },
            [](const Fresh&) -> uint32_t { return kHungUp; },
            [](const Listener& listener) -> uint32_t {
        return listener.queue.empty() ? 0 : runtime::kReadable;
    },
            [&](const Stream& stream) { return level(connections_.at(stream.connection).ends[stream.side]); },
        },
        descriptor.kind
    );
}

uint32_t SimOs::level(const End& end) const {
    if (end.state == EndState::connecting) {
        return 0;
    }
    if (end.state == EndState::reset || (end.has_sent_fin && end.has_received_fin)) {
        return kHungUp;
    }
    uint32_t readiness = 0;
    if (!end.inbox.empty()) {
        readiness |= runtime::kReadable;
    }
    if (end.has_received_fin) {
        readiness |= runtime::kReadable | runtime::kHangup;
    }
    size_t bound = wire_.config().socket_buffer_bytes;
    bool has_space = !end.is_squeezed && end.outstanding < bound && bound - end.outstanding >= bound / 3;
    return has_space || end.has_sent_fin ? readiness | runtime::kWritable : readiness;
}

// A watched descriptor for which a false report is harmless in Linux too: one on which reading or accepting
// would say EAGAIN.
int SimOs::spurious_edge(const Poll& poll) {
    std::vector<int> candidates;
    for (int fd : poll.watched) {
        const Kind& kind = at(fd).kind;
        auto* stream = std::get_if<Stream>(&kind);
        bool is_up =
            stream && connections_.at(stream->connection).ends[stream->side].state == EndState::established;
        if (is_up || std::holds_alternative<Listener>(kind)) {
            candidates.push_back(fd);
        }
    }
    return candidates.empty() ? -1 : candidates[wire_.random().below(candidates.size())];
}

}  // namespace sim
