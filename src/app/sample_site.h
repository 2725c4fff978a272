// For the tests: a supervisor with its reactor, its log and a directory, and what a test asks of it.
#pragma once

#include <unistd.h>

#include <algorithm>
#include <charconv>
#include <filesystem>
#include <memory>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "app/sample_surroundings.h"
#include "app/supervisor.h"
#include "core/panic.h"
#include "runtime/linux_os.h"
#include "runtime/process.h"
#include "runtime/task_group.h"

namespace app {

// Nothing here takes so long on a machine that works; it is what a test waits before it fails.
inline constexpr core::Duration kTestPatience = 30s;

struct SampleSite {
    SampleSite() {
        ASSERT(::mkdtemp(directory.data()) != nullptr);
        config.command = {sample, "serve"};
        config.instances = 1;
        config.restart = {.first_pause = 10ms, .longest_pause = 20ms, .settled = 1h};
        options.server = "s";
        options.runtime_directory = directory;
        options.base_directory = directory;
        options.host = *net::Address::parse_host("127.0.0.1");
        options.executable = sample;
    }

    ~SampleSite() {
        std::error_code ignored;
        std::filesystem::remove_all(directory, ignored);
    }

    SampleSite(const SampleSite&) = delete;
    SampleSite& operator=(const SampleSite&) = delete;

    // Runs `test` beside a supervisor of `config`, which is stopped at its end. Gives what was awaited in
    // vain, with the log; empty when all is well.
    template <class Test>
    std::string run(Test test) {
        reactor->run(run_beside(test));
        return missed;
    }

    // Awaits that `condition` holds.
    template <class Condition>
    runtime::Task<void> until(std::string_view what, Condition condition) {
        core::Instant deadline = reactor->now() + kTestPatience;
        while (!condition() && reactor->now() < deadline) {
            [[maybe_unused]] auto woken = co_await reactor->sleep_for(5ms);
        }
        if (!condition()) {
            missed += "missed: " + std::string(what) + "; log: " + log_text();
        }
    }

    // The pid of a process that the instance at `slot` has put into a session of its own; 0: none.
    runtime::Task<pid_t> spawn_grandchild(size_t slot) {
        std::string text = co_await get(slot, "/spawn");
        pid_t pid = 0;
        std::from_chars(text.data(), text.data() + text.size(), pid);
        co_return pid;
    }

    // The body of the answer of the instance at `slot`; empty where none comes.
    runtime::Task<std::string> get(size_t slot, std::string target) {
        auto answer = co_await fetch(*reactor, supervisor->status()[slot].address, target, kTestPatience);
        co_return answer ? answer->body : "";
    }

    runtime::Task<void> until_up(size_t count) {
        co_await until("instances are up", [this, count] { return supervisor->healthy_count() == count; });
    }

    // How many lines of the log have `part`.
    [[nodiscard]] size_t logged(std::string_view part) const {
        return static_cast<size_t>(std::ranges::count_if(lines, [&](const std::string& line) {
            return line.contains(part);
        }));
    }

    [[nodiscard]] std::string log_text() const {
        std::string text;
        for (const std::string& line : lines) {
            text += line;
        }
        return text;
    }

    std::string sample = std::filesystem::read_symlink("/proc/self/exe").parent_path() / "trilith_app_sample";
    std::string directory = "/tmp/tl-app-XXXXXX";
    std::vector<std::string> lines{};
    runtime::LinuxOs os{};
    core::Log log{[this] { return os.wall_time(); }, [this](std::string_view line) {
        lines.emplace_back(line);
    }};
    std::unique_ptr<runtime::Reactor> reactor = *runtime::Reactor::open(os);
    SampleSurroundings surroundings{*reactor};
    Config config{};
    SupervisorOptions options{};
    std::unique_ptr<Supervisor> supervisor{};
    std::string missed{};
    bool is_fiber_stopped = false;  // at the end, instead of request_stop()

private:
    template <class Test>
    runtime::Task<void> run_beside(Test& test) {
        supervisor = std::make_unique<Supervisor>(*reactor, log, config, options, surroundings);
        runtime::TaskGroup group(*reactor, 1);
        group.spawn(supervisor->serve());
        co_await test(*this);
        if (is_fiber_stopped) {
            group.request_stop();
        } else {
            supervisor->request_stop();
        }
        co_await group.join();
        missed += surroundings.published_now().empty() ? "" : "endpoints are still published";
        supervisor.reset();
    }
};

// A zombie that nobody has reaped runs no more.
inline bool is_running(pid_t pid) {
    std::string stat = runtime::read_system_file("/proc/" + std::to_string(pid) + "/stat");
    size_t name_end = stat.rfind(')');
    return name_end != std::string::npos && stat.size() > name_end + 2 && stat[name_end + 2] != 'Z';
}

}  // namespace app
