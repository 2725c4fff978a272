#include "node/client_verbs.h"

#include <format>
#include <span>
#include <string>
#include <utility>
#include <vector>

#include "core/json_text.h"
#include "node/control_json.h"
#include "node/drain_watch.h"
#include "node/restart_watch.h"
#include "node/running_site.h"
#include "node/status_json.h"
#include "node/status_table.h"

namespace node {

using core::ErrorKind;
using core::Result;
using http::Method;

namespace {

constexpr int kDone = 0;
constexpr int kFailed = 1;
constexpr int kWrongUse = 2;
constexpr int kFileRefused = 422;  // HTTP: a reload found errors in the file
constexpr core::Duration kWatchPause = std::chrono::seconds(1);

int refuse(const core::Error& error, Console& console) {
    console.err("trilith: " + error.context() + "\n");
    return kFailed;
}

// Several sites and none named is wrong usage; that none runs is not.
int refuse_site(const core::Error& error, Console& console) {
    int status = refuse(error, console);
    return error.kind() == ErrorKind::invalid ? kWrongUse : status;
}

// {"servers":[{"server":"lb1","status":200,"reply":{…}}]}, with the replies as they came.
std::string answers_json(const std::vector<ServerAnswer>& answers) {
    std::string text = "{\"servers\":[";
    for (const ServerAnswer& answer : answers) {
        text += &answer == &answers.front() ? "{\"server\":" : ",{\"server\":";
        core::append_json_string(text, answer.server);
        std::string reply = answer.is_good() ? *answer.body : answer.refusal;
        if (reply.empty()) {
            reply = format_error(answer.body.error().context());
        }
        text += std::format(",\"status\":{},\"reply\":{}}}", answer.status, reply);
    }
    return text + "]}\n";
}

// Says on `err` why servers did not do it: once where none did for one reason. kDone where all did.
int report_failures(const std::vector<ServerAnswer>& answers, Console& console) {
    std::vector<ServerLines> failures;
    for (const ServerAnswer& answer : answers) {
        if (!answer.is_good()) {
            failures.push_back({.server = answer.server, .lines = {answer.body.error().context()}});
        }
    }
    console.err(merge_lines(failures, answers.size(), "trilith: "));
    return failures.empty() ? kDone : kFailed;
}

void warn_of_dead(const RunningSite& site, Console& console) {
    for (const ServerSocket& socket : site.dead()) {
        console.err(std::format("trilith: {} does not run and was not told\n", socket.server));
    }
}

std::vector<std::string> change_lines(const std::string& body) {
    auto changes = parse_changes(body);
    if (!changes) {
        return {changes.error().context()};
    }
    std::vector<std::string> lines;
    for (const BackendChange& change : *changes) {
        lines.push_back(change.backend + ": " + change.sentence);
    }
    return lines.empty() ? std::vector<std::string>{"nothing to change"} : lines;
}

void print_changes(const std::vector<ServerAnswer>& answers, Console& console) {
    std::vector<ServerLines> good;
    for (const ServerAnswer& answer : answers) {
        if (answer.is_good()) {
            good.push_back({.server = answer.server, .lines = change_lines(*answer.body)});
        }
    }
    console.out(merge_lines(good, answers.size()));
}

// Gives an order to every server and prints what it changed.
int give_order(const SiteOptions& options, std::string path, std::string body, Console& console) {
    auto site = RunningSite::find(options, console);
    if (!site) {
        return refuse_site(site.error(), console);
    }
    ControlCall order{.method = Method::post, .path = std::move(path), .body = std::move(body)};
    std::vector<ServerAnswer> answers = site->ask(console.os, order);
    warn_of_dead(*site, console);
    if (options.format == OutputFormat::json) {
        console.out(answers_json(answers));
    } else {
        print_changes(answers, console);
    }
    return report_failures(answers, console);
}

std::vector<std::string> reload_lines(const ServerAnswer& answer) {
    auto reply = parse_reload(*answer.body);
    if (!reply || !reply->is_applied()) {
        return {};
    }
    if (reply->changes.empty()) {
        return {"nothing has changed"};
    }
    std::vector<std::string> lines{"applied:"};
    for (const std::string& change : reply->changes) {
        lines.push_back("  " + change);
    }
    return lines;
}

// Every error of the file that servers refused, instead of the first alone.
int report_refused_reloads(const std::vector<ServerAnswer>& answers, Console& console) {
    std::vector<ServerLines> refusals;
    for (const ServerAnswer& answer : answers) {
        if (answer.is_good()) {
            continue;
        }
        auto reply = parse_reload(answer.refusal);
        bool is_of_file = answer.status == kFileRefused && reply && !reply->errors.empty();
        std::string sentence = answer.body.error().context() + "; nothing was applied";
        refusals.push_back(
            {.server = answer.server, .lines = is_of_file ? reply->errors : std::vector{std::move(sentence)}}
        );
    }
    console.err(merge_lines(refusals, answers.size()));
    return refusals.empty() ? kDone : kFailed;
}

// {"server":"web1","instances":["app-1: …"]}
std::string restart_json(const RestartReport& report) {
    std::string text = "{\"server\":";
    core::append_json_string(text, report.server);
    text += ",\"instances\":[";
    for (const std::string& sentence : report.sentences) {
        text += &sentence == &report.sentences.front() ? "" : ",";
        core::append_json_string(text, sentence);
    }
    return text + "]}";
}

Result<std::vector<ServerStatus>> parse_statuses(const std::vector<ServerAnswer>& answers) {
    std::vector<ServerStatus> statuses;
    for (const ServerAnswer& answer : answers) {
        if (answer.is_good()) {
            TRY(ServerStatus status, parse_status_json(*answer.body));
            statuses.push_back(std::move(status));
        }
    }
    return statuses;
}

std::string statuses_json(const std::vector<ServerAnswer>& answers) {
    std::string text;
    for (const ServerAnswer& answer : answers) {
        if (answer.is_good()) {
            std::string_view status = *answer.body;
            status = status.substr(0, status.find_last_not_of('\n') + 1);
            text += (text.empty() ? "" : ",") + std::string(status);
        }
    }
    return "{\"servers\":[" + text + "]}\n";
}

// What fits on the screen, over what was there: each line is cleared to its end, then the rest of the screen.
std::string frame(const std::string& table, size_t rows) {
    std::string text = "\x1b[H";
    size_t line = 1;
    for (size_t begin = 0; begin < table.size() && (rows == 0 || line < rows); ++line) {
        size_t end = table.find('\n', begin);
        text += table.substr(begin, end - begin) + "\x1b[K\n";
        begin = end + 1;
    }
    return text + "\x1b[J";
}

// One look at the site: asks, draws, and keeps what was seen for the next. Not kDone: it is gone.
int look(const StatusOptions& options, std::vector<ServerStatus>& earlier, Console& console) {
    auto site = RunningSite::find(options.site, console);
    if (!site) {
        return refuse_site(site.error(), console);
    }
    std::vector<ServerAnswer> answers =
        site->ask(console.os, {.method = Method::get, .path = "/v1/status", .body = {}});
    auto statuses = parse_statuses(answers);
    if (!statuses) {
        return refuse(statuses.error(), console);
    }
    TerminalSize size = console.is_terminal ? console.terminal_size() : TerminalSize{};
    Colour colour = console.is_terminal ? Colour::ansi : Colour::none;
    std::string table =
        status_table(*statuses, {.columns = size.columns, .colour = colour, .earlier = earlier});
    bool is_redrawn = options.is_watching && console.is_terminal;
    if (options.site.format == OutputFormat::json) {
        console.out(statuses_json(answers));
    } else {
        console.out(is_redrawn ? frame(table, size.rows) : table);
    }
    earlier = *std::move(statuses);
    return report_failures(answers, console);
}

}  // namespace

int run(const StatusOptions& options, Console& console) {
    std::vector<ServerStatus> earlier;
    if (options.is_watching && console.is_terminal) {
        console.out("\x1b[2J");
    }
    int status = look(options, earlier, console);
    while (options.is_watching && status == kDone) {
        pause(console.os, kWatchPause);
        console.out(console.is_terminal ? "" : "\n");
        status = look(options, earlier, console);
    }
    return status;
}

int run(const WeightOptions& options, Console& console) {
    std::string order = format_order(WeightOrder{.name = options.name, .weight = options.weight});
    return give_order(options.site, "/v1/weight", std::move(order), console);
}

int run(const DrainOptions& options, Console& console) {
    std::string order = format_order(BackendOrder{.name = options.name});
    if (!options.is_waiting) {
        return give_order(options.site, "/v1/drain", std::move(order), console);
    }
    auto site = RunningSite::find(options.site, console);
    if (!site) {
        return refuse_site(site.error(), console);
    }
    ControlCall call{.method = Method::post, .path = "/v1/drain", .body = std::move(order)};
    std::vector<ServerAnswer> answers = site->ask(console.os, call);
    warn_of_dead(*site, console);
    bool is_text = options.site.format == OutputFormat::text;
    if (is_text) {
        print_changes(answers, console);
    }
    int status = report_failures(answers, console);
    auto drained =
        wait_until_drained(*site, answers, {.timeout = options.timeout, .is_quiet = !is_text}, console);
    if (!is_text) {
        console.out(answers_json(answers));
    }
    return drained ? status : refuse(drained.error(), console);
}

int run(const DisableOptions& options, Console& console) {
    return give_order(options.site, "/v1/disable", format_order(BackendOrder{.name = options.name}), console);
}

int run(const EnableOptions& options, Console& console) {
    return give_order(options.site, "/v1/enable", format_order(BackendOrder{.name = options.name}), console);
}

int run(const UndoOptions& options, Console& console) {
    return give_order(options.site, "/v1/undo", format_order(UndoOrder{.name = options.name}), console);
}

int run(const ReloadOptions& options, Console& console) {
    auto site = RunningSite::find(options.site, console);
    if (!site) {
        return refuse_site(site.error(), console);
    }
    std::vector<ServerAnswer> answers =
        site->ask(console.os, {.method = Method::post, .path = "/v1/reload", .body = "{}"});
    warn_of_dead(*site, console);
    std::vector<ServerLines> applied;
    for (const ServerAnswer& answer : answers) {
        if (answer.is_good()) {
            applied.push_back({.server = answer.server, .lines = reload_lines(answer)});
        }
    }
    console.out(
        options.site.format == OutputFormat::json ? answers_json(answers)
                                                  : merge_lines(applied, answers.size())
    );
    return report_refused_reloads(answers, console);
}

int run(const RestartOptions& options, Console& console) {
    auto site = RunningSite::find(options.site, console);
    if (!site) {
        return refuse_site(site.error(), console);
    }
    if (!options.server.empty()) {
        if (auto chosen = site->choose(options.server); !chosen) {
            return refuse(chosen.error(), console);
        }
    }
    std::string json;
    auto done = restart_app(*site, console, [&](const RestartReport& report) {
        if (options.site.format == OutputFormat::json) {
            json += json.empty() ? "" : ",";
            json += restart_json(report);
            return;
        }
        for (const std::string& sentence : report.sentences) {
            console.out(report.server + ": " + sentence + "\n");
        }
    });
    if (options.site.format == OutputFormat::json) {
        console.out("{\"servers\":[" + json + "]}\n");
    }
    return done ? kDone : refuse(done.error(), console);
}

int run(const MetricsOptions& options, Console& console) {
    auto site = RunningSite::find(options.site, console);
    if (!site) {
        return refuse_site(site.error(), console);
    }
    if (!options.server.empty()) {
        if (auto chosen = site->choose(options.server); !chosen) {
            return refuse(chosen.error(), console);
        }
    }
    if (site->servers().size() > 1) {
        console.err(
            "trilith: several servers run: choose one with --server, since their metrics have the same "
            "names\n"
        );
        return kWrongUse;
    }
    std::vector<ServerAnswer> answers =
        site->ask(console.os, {.method = Method::get, .path = "/v1/metrics", .body = {}});
    if (answers.front().is_good()) {
        console.out(*answers.front().body);
    }
    return report_failures(answers, console);
}

}  // namespace node
