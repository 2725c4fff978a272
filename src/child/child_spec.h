// What the supervisor and a guard say to each other: the guard's command line and environment, and the
// messages on their channel. Both ends are the same executable, so records travel as they lie in memory.
#pragma once

#include <sys/types.h>

#include <cstdint>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <type_traits>
#include <vector>

#include "core/result.h"
#include "runtime/account.h"

namespace child {

// How one program is started.
struct ChildSpec {
    std::string name;      // of the instance, for the list of processes
    pid_t supervisor = 0;  // whose child the guard is
    int channel = -1;      // the guard's end, inherited
    int listening = -1;    // becomes the program's descriptor 3; -1: none
    // Stays open in the guard and in the program, as its descriptor behind the listening socket, so that a
    // lock on it lasts as long as they do; -1: none.
    int held = -1;
    std::string directory;  // where the program runs
    // The same, open, inherited: where the way there may not be searched by the program's user; -1: none.
    int open_directory = -1;
    std::optional<runtime::Account> user;
    uint64_t open_files = 0;  // 0: the default, 65536 or the hard limit
    uint64_t processes = 0;   // 0: unchanged
    uint64_t data_bytes = 0;  // RLIMIT_DATA of each process; 0: unchanged
    std::string group;        // directory of the cgroup that the program enters; empty: none
    std::vector<std::string> command;

    friend bool operator==(const ChildSpec&, const ChildSpec&) = default;
};

// The words of the guard's command line, and what they mean. invalid: words that guard_arguments() does not
// write.
[[nodiscard]] std::vector<std::string> guard_arguments(const ChildSpec& spec);
[[nodiscard]] core::Result<ChildSpec> parse_guard_arguments(std::span<char* const> arguments);

// The program's environment travels as the guard's own, each entry behind a dot: so no LD_PRELOAD of the
// program acts on the guard, and no secret stands in a command line.
[[nodiscard]] std::vector<std::string> hide_environment(std::vector<std::string> entries);
// The entries that hide_environment() hid.
[[nodiscard]] std::vector<std::string> reveal_environment(char* const* environment);

// At which step a program could not be started.
enum class StartStep : uint8_t {
    fork,
    session,
    group,
    limits,
    descriptors,
    user,
    directory,
    orphaned,
    execute
};

enum class ReportKind : uint8_t {
    started,    // the program runs: its pid
    failed,     // it could not be started: step and errno
    exited,     // its wait status; what it left behind is being killed
    abandoned,  // processes that could not be killed: how many
};

// Guard to supervisor, one message a report.
struct GuardReport {
    ReportKind kind = ReportKind::started;
    StartStep step = StartStep::fork;
    pid_t pid = 0;
    int code = 0;  // errno, wait status or count
};

// Supervisor to guard.
struct GuardOrder {
    enum class Kind : uint8_t { signal, kill_all };

    Kind kind = Kind::signal;
    int signal = 0;  // for the program itself; what it started is its own to tell
};

// A message as it travels.
template <class Record>
    requires std::is_trivially_copyable_v<Record>
[[nodiscard]] std::span<char> bytes_of(Record& record) {
    return {reinterpret_cast<char*>(&record), sizeof record};
}

// "[app] command: cannot run \"srv\": No such file or directory; …", with the cure; `section` of the
// configuration is the first word.
[[nodiscard]] std::string describe_failed_start(
    std::string_view section,
    const ChildSpec& spec,
    const GuardReport& report
);

}  // namespace child
