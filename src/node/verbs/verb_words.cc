#include "node/verbs/verb_words.h"

#include <algorithm>
#include <array>
#include <charconv>
#include <format>

#include "mysql/sql_tokens.h"
#include "node/config/names.h"
#include "upstream/config.h"

namespace node {

using core::ErrorKind;
using core::fail;
using core::Result;

namespace {

// Whose lines are in the logs: the tiers of access logs, and the components of the program's own.
constexpr std::array<std::string_view, 11> kLogTiers{
    "balancer",
    "web",
    "app",
    "database",
    "sql",
    "router",
    "health",
    "node",
    "up",
    "access_log",
    "log",
};

Result<uint32_t> parse_weight(std::string_view text) {
    uint32_t weight = 0;
    auto [end, status] = std::from_chars(text.data(), text.data() + text.size(), weight);
    if (text.empty() || status != std::errc{} || end != text.data() + text.size() ||
        weight > upstream::kWeightMax) {
        return fail(
            ErrorKind::invalid,
            std::format("a weight is a whole number from 0 to {}, not \"{}\"", upstream::kWeightMax, text)
        );
    }
    return weight;
}

Result<Command> drain_command(const VerbWords& found) {
    DrainOptions options{.site = found.site, .name = found.name, .is_waiting = !found.is_not_waiting};
    if (found.timeout) {
        TRY(options.timeout, core::parse_duration(*found.timeout));
    }
    return options;
}

Result<Command> undo_command(const VerbWords& found) {
    if (found.name.empty() != found.is_all) {
        return fail(ErrorKind::invalid, "say NAME or --all, one of them");
    }
    return UndoOptions{.site = found.site, .name = found.name};
}

Result<Command> restart_command(const VerbWords& found) {
    if (found.name != "app") {
        return fail(ErrorKind::invalid, std::format("what can be restarted is app, not \"{}\"", found.name));
    }
    return RestartOptions{.site = found.site, .server = found.server};
}

Result<Command> status_command(const VerbWords& found) {
    if (found.is_json && found.is_watching) {
        return fail(ErrorKind::invalid, "--json and --watch exclude each other");
    }
    if (found.is_json && (found.is_drawing || found.is_table)) {
        return fail(ErrorKind::invalid, "--json excludes --drawing and --table");
    }
    return StatusOptions{
        .site = found.site,
        .is_watching = found.is_watching,
        .is_drawing_wanted = found.is_drawing,
        .is_table_wanted = found.is_table,
        .is_ascii = found.is_ascii,
    };
}

Result<Command> weight_command(const VerbWords& found) {
    TRY(uint32_t weight, parse_weight(found.number));
    return WeightOptions{.site = found.site, .name = found.name, .weight = weight};
}

Result<Command> check_command(const VerbWords& found) {
    return CheckOptions{
        .file = found.file,
        .directories = found.site.directories,
        .is_explained = found.is_explained,
        .format = found.site.format,
    };
}

Result<Command> logs_command(const VerbWords& found) {
    if (!found.tier.empty() && !std::ranges::contains(kLogTiers, found.tier)) {
        return fail(
            ErrorKind::invalid,
            std::format(
                "--tier: no line is of \"{}\"{}",
                found.tier,
                suggestion(found.tier, kLogTiers, "tiers")
            )
        );
    }
    LogsOptions options{
        .site = found.site,
        .server = found.server,
        .tier = found.tier,
        .request = found.request,
        .is_following = found.is_following,
    };
    if (found.number.empty()) {
        options.lines = found.request.empty() ? options.lines : SIZE_MAX;
        return options;
    }
    const char* end = found.number.data() + found.number.size();
    auto [read, status] = std::from_chars(found.number.data(), end, options.lines);
    if (status != std::errc{} || read != end) {
        return fail(
            ErrorKind::invalid,
            std::format("--lines takes a whole number, not \"{}\"", found.number)
        );
    }
    return options;
}

// The two modes that change how a text is read; ANSI includes ANSI_QUOTES.
Result<Command> explain_command(const VerbWords& found) {
    ExplainOptions options{.sql = found.sql, .format = found.site.format};
    std::string_view modes = found.sql_mode;
    while (!modes.empty()) {
        const size_t size = std::min(modes.find(','), modes.size());
        const std::string_view mode = modes.substr(0, size);
        if (mysql::equals_ignoring_case(mode, "ansi_quotes") || mysql::equals_ignoring_case(mode, "ansi")) {
            options.has_ansi_quotes = true;
        } else if (mysql::equals_ignoring_case(mode, "no_backslash_escapes")) {
            options.has_backslash_escapes = false;
        } else {
            return fail(
                ErrorKind::invalid,
                std::format("--sql-mode takes ANSI_QUOTES and NO_BACKSLASH_ESCAPES, not \"{}\"", mode)
            );
        }
        modes.remove_prefix(std::min(size + 1, modes.size()));
    }
    return options;
}

struct Verb {
    std::string_view name;
    Result<Command> (*command)(const VerbWords&);
};

constexpr Verb kVerbs[]{
    {"check", check_command},
    {"explain", explain_command},
    {"serve",
     [](const VerbWords& found) -> Result<Command> {
    return ServeOptions{.file = found.file, .server = found.server, .directories = found.site.directories};
}},
    {"up",
     [](const VerbWords& found) -> Result<Command> {
    return UpOptions{.file = found.file, .directories = found.site.directories};
}},
    {"migrate",
     [](const VerbWords& found) -> Result<Command> {
    return MigrateOptions{.file = found.file, .directories = found.site.directories};
}},
    {"status", status_command},
    {"weight", weight_command},
    {"drain", drain_command},
    {"disable",
     [](const VerbWords& found) -> Result<Command> { return DisableOptions{found.site, found.name}; }},
    {"enable", [](const VerbWords& found) -> Result<Command> { return EnableOptions{found.site, found.name}; }
    },
    {"undo", undo_command},
    {"reload", [](const VerbWords& found) -> Result<Command> { return ReloadOptions{found.site}; }},
    {"restart", restart_command},
    {"switchover",
     [](const VerbWords& found) -> Result<Command> {
    return SwitchoverOptions{
        .site = found.site,
        .to = found.name,
        .is_dry = found.is_dry,
        .is_killing = found.is_killing,
    };
}},
    {"failover",
     [](const VerbWords& found) -> Result<Command> {
    return FailoverOptions{
        .site = found.site,
        .to = found.name,
        .is_dry = found.is_dry,
        .is_loss_accepted = found.is_loss_accepted,
    };
}},
    {"rejoin",
     [](const VerbWords& found) -> Result<Command> {
    return RejoinOptions{
        .site = found.site,
        .server = found.name,
        .is_dry = found.is_dry,
        .is_extra_discarded = found.is_extra_discarded,
    };
}},
    {"sql",
     [](const VerbWords& found) -> Result<Command> {
    return SqlOptions{.site = found.site, .server = found.server, .words = found.words};
}},
    {"drill",
     [](const VerbWords& found) -> Result<Command> {
    return DrillOptions{.site = found.site, .name = found.name, .is_forced = found.is_forced};
}},
    {"metrics",
     [](const VerbWords& found) -> Result<Command> { return MetricsOptions{found.site, found.server}; }},
    {"logs", logs_command},
};

}  // namespace

Result<Command> command_of(std::string_view verb, VerbWords& found) {
    if (!found.site.site.empty() && !is_name(found.site.site, kSiteBytesMax)) {
        return fail(ErrorKind::invalid, std::format("\"{}\" is not the name of a site", found.site.site));
    }
    found.site.format = found.is_json ? OutputFormat::json : OutputFormat::text;
    return std::ranges::find(kVerbs, verb, &Verb::name)->command(found);
}

}  // namespace node
