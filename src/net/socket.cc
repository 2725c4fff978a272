#include "net/socket.h"

#include <netinet/tcp.h>

#include "core/panic.h"

namespace net {

using runtime::kFailed;
using runtime::kHangup;
using runtime::kReadable;
using runtime::kWritable;

Socket& Socket::operator=(Socket&& other) noexcept {
    if (this != &other) {
        close();
        reactor_ = other.reactor_;
        fd_ = std::exchange(other.fd_, -1);
        slot_ = std::exchange(other.slot_, kUnwatched);
        is_connecting_ = other.is_connecting_;
        is_drained_ = other.is_drained_;
    }
    return *this;
}

namespace {

// The system chooses the port when it knows the peer, so that ports are not used up: IP_BIND_ADDRESS_NO_PORT.
int bind_source(runtime::Os& os, int fd, const Address& source) {
    [[maybe_unused]] int status = os.set_option(fd, IPPROTO_IP, IP_BIND_ADDRESS_NO_PORT, 1);
    sockaddr_storage storage;
    socklen_t length = source.fill(storage);
    return os.bind(fd, reinterpret_cast<const sockaddr*>(&storage), length);
}

}  // namespace

core::Result<Socket> Socket::connect(
    runtime::Reactor& reactor,
    const Address& address,
    const std::optional<Address>& source
) {
    runtime::Os& os = reactor.os();
    int fd = os.open_socket(address.family());
    if (fd < 0) {
        return core::fail(core::Error::of_errno(-fd, "connecting to " + address.to_string()));
    }
    Socket socket(reactor, fd);
    if (address.family() != AF_UNIX) {
        // Every send is a whole message or a full buffer; waiting for more (Nagle) would only add delay.
        [[maybe_unused]] int status = os.set_option(fd, IPPROTO_TCP, TCP_NODELAY, 1);
    }
    if (source && source->family() == address.family()) {
        if (int status = bind_source(os, fd, *source); status < 0) {
            return core::fail(core::Error::of_errno(-status, "connecting from " + source->host_string()));
        }
    }
    sockaddr_storage storage;
    socklen_t length = address.fill(storage);
    int status = os.connect(fd, reinterpret_cast<const sockaddr*>(&storage), length);
    if (status == -EAGAIN) {
        // A unix socket whose queue of connections is full says so at once (unix(7)): busy, not broken.
        return core::fail(
            core::ErrorKind::exhausted,
            "connecting to " + address.to_string() + ": its queue of connections is full"
        );
    }
    if (status < 0 && status != -EINPROGRESS) {
        return core::fail(core::Error::of_errno(-status, "connecting to " + address.to_string()));
    }
    socket.is_connecting_ = status == -EINPROGRESS;
    return socket;
}

void Socket::close() {
    if (fd_ < 0) {
        return;
    }
    if (slot_ != kUnwatched) {
        reactor_->unwatch(std::exchange(slot_, kUnwatched));
    }
    reactor_->os().close(std::exchange(fd_, -1));
}

void Socket::reset_on_close() { reactor_->os().reset_on_close(fd_); }

std::expected<runtime::IoSlot*, int> Socket::watched_slot() {
    if (slot_ == kUnwatched) {
        int64_t index = reactor_->watch(fd_);
        if (index < 0) {
            return std::unexpected(static_cast<int>(-index));
        }
        slot_ = static_cast<uint32_t>(index);
        // Nothing tells of room before who found none waits for it; see Reactor::watch_writing().
        reactor_->slot(slot_).readiness = is_connecting_ ? 0 : kWritable;
    }
    return &reactor_->slot(slot_);
}

bool Socket::may_be_ready(uint32_t bits) const {
    if (slot_ == kUnwatched) {
        return !(bits == kReadable && is_drained_);
    }
    return (reactor_->slot(slot_).readiness & (bits | kFailed)) != 0;
}

void Socket::note_exhausted(uint32_t bit) {
    if (slot_ != kUnwatched) {
        reactor_->slot(slot_).readiness &= ~bit;
    } else if (bit == kReadable) {
        is_drained_ = true;
    }
}

ssize_t Socket::try_receive(std::span<char> target) {
    if (!may_be_ready(kReadable)) {
        return -EAGAIN;
    }
    ssize_t received = reactor_->os().receive(fd_, target);
    bool has_ended = slot_ != kUnwatched && (reactor_->slot(slot_).readiness & (kHangup | kFailed)) != 0;
    // A short read has taken all there was: the next arrival makes a new event, so no probing read is needed.
    bool is_short = received > 0 && static_cast<size_t>(received) < target.size() && !has_ended;
    if (received == -EAGAIN || is_short) {
        note_exhausted(kReadable);
    }
    return received;
}

ssize_t Socket::try_send(std::span<const iovec> parts, int flags) {
    if (!may_be_ready(kWritable)) {
        return -EAGAIN;
    }
    ssize_t sent = reactor_->os().send(fd_, parts, flags);
    if (sent == -EAGAIN) {
        note_exhausted(kWritable);
    }
    return sent;
}

ssize_t Socket::try_splice_to_pipe(int pipe, size_t count) {
    if (!may_be_ready(kReadable)) {
        return -EAGAIN;
    }
    ssize_t moved = reactor_->os().splice(fd_, pipe, count);
    if (moved == -EAGAIN) {
        note_exhausted(kReadable);
    }
    return moved;
}

ssize_t Socket::try_splice_from_pipe(int pipe, size_t count) {
    if (!may_be_ready(kWritable)) {
        return -EAGAIN;
    }
    ssize_t moved = reactor_->os().splice(pipe, fd_, count);
    if (moved == -EAGAIN) {
        note_exhausted(kWritable);
    }
    return moved;
}

ssize_t Socket::try_send_file(int file, uint64_t offset, size_t count) {
    if (!may_be_ready(kWritable)) {
        return -EAGAIN;
    }
    ssize_t moved = reactor_->os().send_file(fd_, file, offset, count);
    if (moved == -EAGAIN) {
        note_exhausted(kWritable);
    }
    return moved;
}

bool Socket::is_quiet() const {
    return slot_ == kUnwatched || (reactor_->slot(slot_).readiness & (kReadable | kHangup | kFailed)) == 0;
}

Peek Socket::peek() {
    char byte = 0;
    ssize_t received = reactor_->os().peek(fd_, {&byte, 1});
    if (received == -EAGAIN) {
        // An event may have told of bytes that are taken by now.
        note_exhausted(kReadable);
        return has_hung_up() ? Peek::ended : Peek::quiet;
    }
    if (received < 0) {
        return Peek::broken;
    }
    return received > 0 ? Peek::has_bytes : Peek::ended;
}

ssize_t ReceiveAttempt::operator()() {
    if (!socket.may_be_ready(kReadable)) {
        return -EAGAIN;  // before prepare(), which would take the shared buffer from its holder
    }
    std::span<char> target = buffer.prepare();
    ssize_t received = socket.try_receive(target);
    buffer.commit(static_cast<size_t>(std::max<ssize_t>(received, 0)));
    return received;
}

// A connection in progress becomes writable when it is established and reports an error when it failed.
ssize_t ConnectAttempt::operator()() {
    if (!socket.is_connecting_) {
        return 0;  // to this machine, the handshake is often over when connect() returns
    }
    auto slot = socket.watched_slot();
    if (!slot) {
        return -slot.error();
    }
    if (((*slot)->readiness & (kWritable | kFailed)) == 0) {
        return -EAGAIN;
    }
    socket.is_connecting_ = false;
    return -socket.reactor().os().pending_error(socket.fd());
}

core::Error error_of(ssize_t result, std::string_view operation) {
    if (result == -ETIMEDOUT) {
        return {core::ErrorKind::timed_out, std::string(operation) + ": no answer in time"};
    }
    if (result == -ECANCELED) {
        return {core::ErrorKind::cancelled, std::string(operation) + ": cancelled"};
    }
    return core::Error::of_errno(static_cast<int>(-result), operation);
}

}  // namespace net
