// Pipes for splicing: used again when they are empty, closed when they are not, none kept beyond a few.
#include "net/splice_pipe.h"

#include <fcntl.h>
#include <unistd.h>

#include <cerrno>
#include <set>
#include <vector>

#include <doctest/doctest.h>

#include "runtime/linux_os.h"

namespace net {
namespace {

// Knows which descriptors are open.
class CountingOs final : public runtime::LinuxOs {
public:
    int open_pipe(int (&ends)[2], int capacity) override {
        if (is_exhausted) {
            return -EMFILE;
        }
        int status = LinuxOs::open_pipe(ends, capacity);
        if (status == 0) {
            open.insert({ends[0], ends[1]});
        }
        return status;
    }

    void close(int fd) override {
        CHECK(open.erase(fd) == 1);
        LinuxOs::close(fd);
    }

    std::set<int> open;
    bool is_exhausted = false;
};

TEST_CASE("a pipe is two ends of one pipe, which hold what it promises and never block") {
    CountingOs os;
    SplicePipes pipes(os);
    auto pipe = pipes.take();
    REQUIRE(pipe.has_value());
    CHECK(pipe->held == 0);
    CHECK(::fcntl(pipe->write_end, F_GETPIPE_SZ) >= SplicePipe::kCapacity);
    char byte = 'x';
    CHECK(::read(pipe->read_end, &byte, 1) == -1);
    CHECK(errno == EAGAIN);
    CHECK(::write(pipe->write_end, "y", 1) == 1);
    CHECK(::read(pipe->read_end, &byte, 1) == 1);
    CHECK(byte == 'y');
    pipes.give_back(*pipe);
}

TEST_CASE("an empty pipe that was given back is taken again, and all are closed at the end") {
    CountingOs os;
    {
        SplicePipes pipes(os);
        auto first = pipes.take();
        auto second = pipes.take();
        REQUIRE((first && second));
        CHECK(os.open.size() == 4);
        pipes.give_back(*first);
        CHECK(os.open.size() == 4);
        auto again = pipes.take();
        REQUIRE(again.has_value());
        CHECK(again->read_end == first->read_end);
        CHECK(again->write_end == first->write_end);
        CHECK(os.open.size() == 4);
        pipes.give_back(*again);
        pipes.give_back(*second);
    }
    CHECK(os.open.empty());
}

TEST_CASE("a pipe that still holds bytes is closed, so that nobody else sends them") {
    CountingOs os;
    SplicePipes pipes(os);
    auto pipe = pipes.take();
    REQUIRE(pipe.has_value());
    CHECK(::write(pipe->write_end, "left", 4) == 4);
    pipe->held = 4;
    pipes.give_back(*pipe);
    CHECK(os.open.empty());
    auto next = pipes.take();
    REQUIRE(next.has_value());
    char byte = 'x';
    CHECK(::read(next->read_end, &byte, 1) == -1);
    CHECK(next->held == 0);
    pipes.give_back(*next);
}

TEST_CASE("after many bodies at once, few pipes are kept") {
    CountingOs os;
    SplicePipes pipes(os);
    std::vector<SplicePipe> taken;
    for (int number = 0; number < 40; ++number) {
        auto pipe = pipes.take();
        REQUIRE(pipe.has_value());
        taken.push_back(*pipe);
    }
    CHECK(os.open.size() == 80);
    for (const SplicePipe& pipe : taken) {
        pipes.give_back(pipe);
    }
    CHECK(os.open.size() == 32);
}

TEST_CASE("without a descriptor there is no pipe, but those that are kept serve") {
    CountingOs os;
    SplicePipes pipes(os);
    auto kept = pipes.take();
    REQUIRE(kept.has_value());
    os.is_exhausted = true;
    CHECK_FALSE(pipes.take().has_value());
    pipes.give_back(*kept);
    auto again = pipes.take();
    REQUIRE(again.has_value());
    CHECK_FALSE(pipes.take().has_value());
    pipes.give_back(*again);
}

}  // namespace
}  // namespace net
