// The watch of the SQL router by itself, for tests against real servers: prints each snapshot that it
// publishes, and each line of its log, as one line of JSON; takes orders on its standard input, a socket.
//
//   sql_watch INTERVAL TIMEOUT MAX_LAG USER PASSWORD NODE…
//   tokens | login | failure NODE | nodes NODE… | end of input: ends
#include <algorithm>
#include <format>
#include <print>
#include <span>

#include "core/json_text.h"
#include "core/log.h"
#include "net/read_buffer.h"
#include "net/socket.h"
#include "runtime/linux_os.h"
#include "runtime/task_group.h"
#include "sql/server_watch.h"

namespace {

void say(std::string_view kind, std::string_view content) {
    std::println("{{\"{}\": {}}}", kind, content);
    std::fflush(stdout);
}

std::string quoted(std::string_view text) {
    std::string json;
    core::append_json_string(json, text);
    return json;
}

std::string position_of(const mysql::GtidPosition& position) {
    std::string text;
    position.append_to(text);
    return text;
}

std::string node_json(const sql::Node& node) {
    return std::format(
        R"({{"name": {}, "state": "{}", "is_fit": {}, "why": {}, "lag": {}, "applied": "{}", )"
        R"("generation": {}, "version": {}, "server_id": {}}})",
        quoted(node.name),
        sql::node_state_name(node.state),
        node.is_fit,
        quoted(node.why),
        node.lag ? std::format("{}", std::chrono::duration<double>(*node.lag).count()) : "null",
        position_of(node.applied),
        node.generation,
        quoted(node.version),
        node.server_id
    );
}

void print_routing(const sql::Routing& routing) {
    std::string nodes;
    for (const sql::Node& node : routing.nodes) {
        nodes += (nodes.empty() ? "" : ", ") + node_json(node);
    }
    std::string accounts;
    for (const sql::Account& account : routing.accounts->accounts()) {
        accounts += (accounts.empty() ? "" : ", ") + quoted(account.name());
    }
    say("routing",
        std::format(
            R"({{"number": {}, "primary": {}, "primary_why": {}, "accounts_why": {}, "accounts": [{}], )"
            R"("nodes": [{}]}})",
            routing.number,
            routing.primary ? std::to_string(*routing.primary) : "null",
            quoted(routing.primary_why),
            quoted(routing.accounts_why),
            accounts,
            nodes
        ));
}

std::vector<std::string> words_of(std::string_view line) {
    std::vector<std::string> words;
    while (!line.empty()) {
        size_t end = std::min(line.find(' '), line.size());
        words.emplace_back(line.substr(0, end));
        line.remove_prefix(std::min(end + 1, line.size()));
    }
    return words;
}

void set_nodes(sql::WatchConfig& config, std::span<const std::string> names) {
    // Whoever was there once keeps its slot.
    static std::vector<std::string> slots;
    config.nodes.clear();
    for (const std::string& name : names) {
        auto slot = std::ranges::find(slots, name);
        if (slot == slots.end()) {
            slot = slots.insert(slot, name);
        }
        config.nodes.push_back({
            .config = {.address = *net::Address::parse(name), .name = name},
            .slot = static_cast<size_t>(slot - slots.begin()),
        });
    }
}

void obey(sql::ServerWatch& watch, sql::WatchConfig& config, const std::vector<std::string>& words) {
    if (words.front() == "tokens") {
        watch.on_tokens_outstanding();
    } else if (words.front() == "login") {
        watch.on_failed_login();
    } else if (words.front() == "failure") {
        watch.on_node_failure(*net::Address::parse(words.at(1)));
    } else if (words.front() == "nodes") {
        set_nodes(config, std::span(words).subspan(1));
        watch.apply(config);
    }
}

runtime::Task<void> serve(runtime::Reactor& reactor, sql::WatchConfig config) {
    core::Log log([&] { return reactor.os().wall_time(); }, [](std::string_view line) {
        say("log", quoted(line.substr(0, line.size() - 1)));
    });
    sql::ServerWatch watch(reactor, log, [](const auto& routing) { print_routing(*routing); });
    watch.apply(config);
    runtime::TaskGroup watching(reactor, 1);
    watching.spawn(watch.serve());
    net::BufferPool pool;
    net::SharedReadBuffer shared(pool);
    net::Socket orders(reactor, 0);
    net::ReadBuffer buffer(shared);
    for (;;) {
        ssize_t received = co_await orders.receive(buffer, core::Instant::never());
        if (received <= 0) {
            break;
        }
        for (size_t end = buffer.bytes().find('\n'); end != std::string_view::npos;
             end = buffer.bytes().find('\n')) {
            obey(watch, config, words_of(buffer.bytes().substr(0, end)));
            buffer.consume(end + 1);
        }
    }
    watching.request_stop();
    co_await watching.join();
}

}  // namespace

int main(int count, char** values) {
    std::vector<std::string> words(values + 1, values + count);
    if (words.size() < 6) {
        std::println(stderr, "sql_watch INTERVAL TIMEOUT MAX_LAG USER PASSWORD NODE…");
        return 2;
    }
    sql::WatchConfig config{
        .user = words[3],
        .password = words[4],
        .interval = *core::parse_duration(words[0]),
        .timeout = *core::parse_duration(words[1]),
        .max_lag = *core::parse_duration(words[2]),
    };
    set_nodes(config, std::span(words).subspan(5));
    runtime::LinuxOs os;
    auto reactor = runtime::Reactor::open(os);
    if (!reactor) {
        std::println(stderr, "sql_watch: {}", reactor.error().context());
        return 1;
    }
    (*reactor)->run(serve(**reactor, config));
    return 0;
}
