// Checks the keys of [app].
#include "node/config/app.h"

#include <algorithm>
#include <array>
#include <csignal>
#include <format>

#include "node/config/names.h"
#include "node/config/servers.h"

namespace node {

namespace {

using namespace std::chrono_literals;

constexpr size_t kWordsMax = 1000;
constexpr size_t kWordBytesMax = 64 << 10;  // of a word of the command, or a value of the environment
constexpr size_t kVariablesMax = 1000;
constexpr std::array<std::string_view, 3> kListens{"unix", "tcp", "port"};

struct Signal {
    std::string_view name;
    int number;
};

constexpr std::array<Signal, 6> kSignals{{
    {"SIGTERM", SIGTERM},
    {"SIGINT", SIGINT},
    {"SIGQUIT", SIGQUIT},
    {"SIGHUP", SIGHUP},
    {"SIGUSR1", SIGUSR1},
    {"SIGUSR2", SIGUSR2},
}};

void read_command(Section& app, std::vector<std::string>& command) {
    constexpr std::string_view expected = "a list such as [\"./app\", \"--fast\"]";
    const TomlValue* value = app.find("command");
    std::string key = app.dotted("command");
    if (value == nullptr) {
        app.problems().add(app.table().position, "[app]: command is missing; write command = [\"./app\"]");
        return;
    }
    if (value->kind == TomlValue::Kind::text) {
        TextRule rule{.key = key, .expected = expected};
        auto text = read_text(*value, rule, app.problems());
        if (text && text->contains(' ')) {
            app.refuse(*value, rule, ": there is no shell, write each word as a text of its own");
        }
        command.emplace_back(text.value_or(""));
        return;
    }
    auto items = app.read_list("command", expected);
    if (value->kind == TomlValue::Kind::list && (items.empty() || items.size() > kWordsMax)) {
        app.problems().add(
            value->position,
            std::format("{}: expected 1 to {} words, found {}", key, kWordsMax, items.size())
        );
        return;
    }
    for (const TomlValue& item : items) {
        size_t bytes_min = command.empty() ? 1 : 0;
        TextRule rule{key, "a text such as \"./app\"", kWordBytesMax, bytes_min};
        command.emplace_back(read_text(item, rule, app.problems()).value_or(""));
    }
}

bool is_variable_name(std::string_view name) {
    bool is_digit_first = !name.empty() && name.front() >= '0' && name.front() <= '9';
    return is_name(name, kWordBytesMax, "_") && !is_digit_first && !name.contains('.') && !name.contains('-');
}

void read_env(Section& app, std::vector<std::pair<std::string, std::string>>& env) {
    auto table = app.child("env");
    if (!table) {
        return;
    }
    if (size_t count = table->table().members.size(); count > kVariablesMax) {
        app.problems().add(
            table->table().position,
            std::format("{}: expected at most {}, found {}", table->name().title, kVariablesMax, count)
        );
        return;
    }
    for (const TomlMember& member : table->table().members) {
        if (!is_variable_name(member.key)) {
            app.problems().add(
                member.position,
                std::format(
                    "{}: a variable's name has letters, digits and \"_\", and no digit first; found {}",
                    table->name().title,
                    in_quotes(member.key)
                )
            );
        }
        std::string key = table->dotted(member.key);
        TextRule rule{key, "a text", kWordBytesMax, 0};
        auto value = read_text(member.value, rule, app.problems());
        env.emplace_back(member.key, value.value_or(""));
    }
}

// 0 stands for no limit, below which nothing stands up to `least`.
template <class Number>
void refuse_tiny(Section& section, std::string_view key, Number value, Bounds<Number> bounds, auto format) {
    if (value != Number{} && value < bounds.least) {
        section.refuse(
            key,
            *section.find(key),
            std::format("{} or {} to {}", format(Number{}), format(bounds.least), format(bounds.most))
        );
    }
}

void read_health(Section& section, app::HealthCheck& health) {
    constexpr Bounds<core::Duration> restart_after{1s, 1h};
    if (auto path = section.read_request_path("path")) {
        health.path = *path;
    }
    section.read("within", health.within, {100ms, 1h});
    section.read("restart_after", health.restart_after, {0s, restart_after.most});
    refuse_tiny(section, "restart_after", health.restart_after, restart_after, core::format_duration);
    section.read("interval", health.running.interval, {100ms, 1h});
    section.read("timeout", health.running.timeout, {10ms, 1min});
    section.read("fall", health.running.fall, {1, 100});
    section.read("rise", health.running.rise, {1, 100});
    section.finish();
}

void read_limits(Section& section, app::LimitConfig& limits) {
    constexpr Bounds<uint64_t> memory{16ULL << 20, 16ULL << 40};
    constexpr Bounds<uint32_t> open_files{16, 1 << 20};
    section.read_bytes("memory", limits.memory, {0, memory.most});
    refuse_tiny(section, "memory", limits.memory, memory, core::format_byte_count);
    section.read("open_files", limits.open_files, {0, open_files.most});
    refuse_tiny(section, "open_files", limits.open_files, open_files, [](uint32_t count) {
        return std::to_string(count);
    });
    section.read("processes", limits.processes, {0, 4'194'304});
    section.finish();
}

void read_stop(Section& section, app::StopConfig& stop) {
    std::array<std::string_view, kSignals.size()> names;
    std::ranges::transform(kSignals, names.begin(), &Signal::name);
    if (auto choice = section.read_choice("signal", names)) {
        stop.signal = kSignals[*choice].number;
    }
    section.read("within", stop.within, {0s, 1h});
    section.finish();
}

void read_restart(Section& section, app::RestartConfig& restart) {
    section.read("first_pause", restart.first_pause, {10ms, 1min});
    restart.longest_pause = std::max(restart.longest_pause, restart.first_pause);
    section.read("longest_pause", restart.longest_pause, {restart.first_pause, 1h});
    section.read("settled", restart.settled, {1s, 1h});
    section.finish();
}

void read_tables(Section& app, app::Config& program) {
    if (auto section = app.child("health")) {
        read_health(*section, program.health);
    }
    if (auto section = app.child("limits")) {
        read_limits(*section, program.limits);
    }
    if (auto section = app.child("stop")) {
        read_stop(*section, program.stop);
    }
    if (auto section = app.child("restart")) {
        read_restart(*section, program.restart);
    }
}

}  // namespace

std::string_view listen_name(app::Listen listen) { return kListens[static_cast<size_t>(listen)]; }

std::string_view signal_name(int signal) {
    auto at = std::ranges::find(kSignals, signal, &Signal::number);
    return at == kSignals.end() ? "" : at->name;
}

AppConfig read_app(Section& app, std::string_view base) {
    AppConfig config;
    app::Config& program = config.program;
    app.read_port("port", config.port);
    if (app.table().find("fastcgi") != nullptr) {
        static_cast<void>(app.find("command"));  // a known key, which nobody needs to read now
        app.problems().add(
            app.find("fastcgi")->position,
            "app.fastcgi: is not supported by this version; write command = [\"./app\"], a program that "
            "serves "
            "HTTP"
        );
    } else {
        read_command(app, program.command);
    }
    app.read("instances", program.instances, {0, app::kInstancesMax});
    read_env(app, program.env);
    if (auto choice = app.read_choice("listen", kListens)) {
        program.listen = static_cast<app::Listen>(*choice);
    }
    program.directory = base;
    if (auto directory = app.read_file_path("directory", "a folder such as \"app\"", base)) {
        program.directory = std::move(*directory);
    }
    read_tables(app, program);
    read_user(app, program.user);
    app.finish();
    return config;
}

bool has_app_port(const Config& config, const ServerConfig& server) {
    bool has_lonely_web = std::ranges::any_of(config.servers, [](const ServerConfig& other) {
        return other.roles.has(Role::web) && !other.roles.has(Role::app);
    });
    return server.roles.has(Role::app) && (!server.roles.has(Role::web) || has_lonely_web);
}

}  // namespace node
