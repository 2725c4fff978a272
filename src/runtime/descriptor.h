// An open file descriptor that is closed with its owner.
#pragma once

#include <unistd.h>

#include <utility>

namespace runtime {

class Descriptor {
public:
    Descriptor() = default;

    // Owns `fd`; negative: none.
    explicit Descriptor(int fd) : fd_(fd) {}

    Descriptor(Descriptor&& other) noexcept : fd_(std::exchange(other.fd_, -1)) {}

    Descriptor& operator=(Descriptor&& other) noexcept {
        if (this != &other) {
            close();
            fd_ = std::exchange(other.fd_, -1);
        }
        return *this;
    }

    ~Descriptor() { close(); }

    [[nodiscard]] int get() const { return fd_; }

    [[nodiscard]] bool is_open() const { return fd_ >= 0; }

    // What close() itself says counts: a file system may tell only then that nothing was written. 0, or -1
    // with errno.
    [[nodiscard]] int close_now() { return ::close(std::exchange(fd_, -1)); }

    void close() {
        if (fd_ >= 0) {
            ::close(std::exchange(fd_, -1));
        }
    }

private:
    int fd_ = -1;
};

}  // namespace runtime
