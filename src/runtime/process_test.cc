// Processes: how one is started, what is known of it, and that its end is seen.
#include "runtime/process.h"

#include <sys/prctl.h>
#include <sys/wait.h>
#include <unistd.h>

#include <cerrno>
#include <csignal>
#include <memory>

#include <doctest/doctest.h>

#include "runtime/linux_os.h"
#include "runtime/reactor.h"
#include "runtime/watched_descriptor.h"

namespace runtime {
namespace {

using namespace std::chrono_literals;

struct Machine {
    LinuxOs os;
    std::unique_ptr<Reactor> reactor = *Reactor::open(os);
};

// A shell with its output on a pipe.
struct Shell {
    Shell(std::string script, std::vector<int> kept = {}) {
        REQUIRE(open_output_pipe(output) == 0);
        pid = spawn({
            .executable = "/bin/sh",
            .arguments = {"sh", "-c", std::move(script)},
            .environment = {"NAME=value"},
            .standard_output = output.theirs.get(),
            .standard_error = output.theirs.get(),
            .kept = std::move(kept),
        });
        output.theirs.close();
    }

    Pipe output;
    int pid = 0;
    std::string text{};
    int status = -1;
};

Task<void> follow(Reactor& reactor, Shell& shell) {
    core::Instant deadline = reactor.now() + 30s;
    WatchedDescriptor output(reactor, std::move(shell.output.ours));
    WatchedDescriptor process(reactor, Descriptor(open_process(shell.pid)));
    char piece[100];
    ssize_t count = 0;
    while ((count = co_await output.read(piece, deadline)) > 0) {
        shell.text.append(piece, static_cast<size_t>(count));
    }
    CHECK(count == 0);
    CHECK(co_await process.reaped(shell.pid, shell.status, deadline) == shell.pid);
    CHECK(co_await process.reaped(shell.pid, shell.status, deadline) == -ECHILD);
}

TEST_CASE("a process gets its words, its environment and a session, writes, and its end is seen") {
    Machine machine;
    Shell shell("echo $NAME; [ $(ps -o sid= -p $$) = $$ ] && echo leads; read x || echo no input >&2; exit 7"
    );
    REQUIRE(shell.pid > 0);
    machine.reactor->run(follow(*machine.reactor, shell));
    CHECK(shell.text == "value\nleads\nno input\n");
    CHECK(WIFEXITED(shell.status));
    CHECK(WEXITSTATUS(shell.status) == 7);
}

TEST_CASE("only what is to be kept is inherited, under its number") {
    Machine machine;
    Pipe kept;
    Pipe other;
    REQUIRE(open_output_pipe(kept) == 0);
    REQUIRE(open_output_pipe(other) == 0);
    std::string number = std::to_string(kept.theirs.get());
    std::string stranger = std::to_string(other.theirs.get());
    Shell shell(
        "[ -e /proc/self/fd/" + number + " ] && echo kept; [ -e /proc/self/fd/" + stranger +
            " ] || echo closed",
        {kept.theirs.get()}
    );
    machine.reactor->run(follow(*machine.reactor, shell));
    CHECK(shell.text == "kept\nclosed\n");
}

TEST_CASE("a program that is not there is an error of the call") {
    CHECK(
        spawn({
            .executable = "/no/such/program",
            .arguments = {"x"},
            .environment = {},
            .standard_output = STDOUT_FILENO,
            .standard_error = STDERR_FILENO,
            .kept = {},
        }) == -ENOENT
    );
}

Task<void> watch_family(Reactor& reactor, Shell& shell) {
    core::Instant deadline = reactor.now() + 30s;
    // The shell, and a child of it in a session of its own.
    while (descendants_of(shell.pid).empty() && reactor.now() < deadline) {
        [[maybe_unused]] auto woken = co_await reactor.sleep_for(1ms);
    }
    std::vector<pid_t> found = descendants_of(::getpid());
    CHECK(std::ranges::contains(found, shell.pid));
    CHECK(found.size() >= 2);
    CHECK(resident_bytes(shell.pid) > 0);
    CHECK(proportional_bytes(shell.pid) > 0);
    CHECK(proportional_bytes(shell.pid) <= resident_bytes(shell.pid));
    CHECK(kill_descendants() >= 2);
    co_await follow(reactor, shell);
}

TEST_CASE("descendants are found whatever their session, have a size, and can be killed") {
    // As a guard is: an orphan of the family stays ours, whichever of them dies first.
    REQUIRE(::prctl(PR_SET_CHILD_SUBREAPER, 1) == 0);
    Machine machine;
    Shell shell("setsid sleep 1000; echo survived");
    machine.reactor->run(watch_family(*machine.reactor, shell));
    REQUIRE(::prctl(PR_SET_CHILD_SUBREAPER, 0) == 0);
    CHECK(WIFSIGNALED(shell.status));
    CHECK(shell.text == "");
    CHECK(resident_bytes(shell.pid) == 0);
}

TEST_CASE("a channel keeps messages apart and tells its end") {
    Pipe channel;
    REQUIRE(open_channel(channel) == 0);
    CHECK(channel.ours.get() > STDERR_FILENO);
    char target[10];
    CHECK(read_some(channel.ours.get(), target) == -EAGAIN);
    CHECK(write_some(channel.theirs.get(), std::string_view("one")) == 3);
    CHECK(write_some(channel.theirs.get(), std::string_view("second")) == 6);
    channel.theirs.close();
    CHECK(read_some(channel.ours.get(), target) == 3);
    CHECK(read_some(channel.ours.get(), target) == 6);
    CHECK(read_some(channel.ours.get(), target) == 0);
}

}  // namespace
}  // namespace runtime
