// Processes, at the level of system calls: starting one beside running threads, waiting for it, what descends
// from it. Calls that return int or ssize_t give a value >= 0, or -errno; none blocks. There is no simulation
// of it: tests run real processes.
#pragma once

#include <sys/types.h>

#include <cstdint>
#include <span>
#include <string>
#include <vector>

#include "runtime/descriptor.h"

namespace runtime {

struct SpawnRequest {
    std::string executable;
    std::vector<std::string> arguments;    // with the program's name first
    std::vector<std::string> environment;  // "NAME=value"
    int standard_output = -1;              // what becomes its descriptors 1 and 2; 0 is /dev/null
    int standard_error = -1;
    std::vector<int> kept;  // inherited under their own numbers, above 2; all else is to be close-on-exec
};

// Runs a program in a session of its own, with no signal blocked or handled: its pid. The caller reaps it.
// Safe beside threads, and does not copy our page tables (posix_spawn).
[[nodiscard]] int spawn(const SpawnRequest& request);

// A descriptor that becomes readable when the process ends.
[[nodiscard]] int open_process(pid_t pid);

// Sends a signal to the process of which this is the pidfd; never to another one that took over its pid.
[[nodiscard]] int send_signal(int process, int number);

// Takes a child that has ended: its pid, with its wait status; -EAGAIN while it runs.
[[nodiscard]] ssize_t try_reap(pid_t pid, int& status);

// Both close-on-exec and above 2. The ends that are ours are non-blocking; the others block, as programs
// expect of what they inherit.
struct Pipe {
    Descriptor ours;  // the reading end
    Descriptor theirs;
};

[[nodiscard]] int open_output_pipe(Pipe& pipe);

// A pair of sockets that keeps messages apart (SOCK_SEQPACKET).
[[nodiscard]] int open_channel(Pipe& channel);

[[nodiscard]] ssize_t read_some(int fd, std::span<char> target);
[[nodiscard]] ssize_t write_some(int fd, std::span<const char> bytes);

// A new descriptor above 2 for what `fd` is; closes `fd`.
[[nodiscard]] Descriptor above_standard(Descriptor fd);

// What /proc or a control file holds, at most 64 KiB of it; empty when it cannot be read.
[[nodiscard]] std::string read_system_file(const std::string& path);

// The process that made it, or took it over; 0 where it is not there.
[[nodiscard]] pid_t parent_of(pid_t pid);

// All processes that descend from `root`, nearest first, without itself; at most 100,000.
[[nodiscard]] std::vector<pid_t> descendants_of(pid_t root);

// Sends SIGKILL to every process that descends from us now; how many there were (ended ones that nobody has
// reaped are among them). Never hits a stranger that took over a pid meanwhile.
[[nodiscard]] size_t kill_descendants();

// Resident bytes of one process: 0 for one that is gone. `/proc/PID/statm`.
[[nodiscard]] uint64_t resident_bytes(pid_t pid);

// The same with shared pages divided among those who have them, which the kernel must walk them for.
// `/proc/PID/smaps_rollup`; the resident bytes where it cannot be read.
[[nodiscard]] uint64_t proportional_bytes(pid_t pid);

}  // namespace runtime
