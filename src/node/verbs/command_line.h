// What the command line asks for: one options struct a verb.
#pragma once

#include <cstdint>
#include <span>
#include <string>
#include <variant>
#include <vector>

#include "core/result.h"
#include "core/units.h"
#include "node/config/file.h"
#include "node/serve/site_paths.h"

namespace node {

enum class OutputFormat : uint8_t { text, json };

// trilith check [FILE]
struct CheckOptions {
    std::string file{kDefaultFile};
    DirectoryOptions directories;
    bool is_explained = false;  // --explain: prints all that was derived
    OutputFormat format = OutputFormat::text;
};

// trilith explain [--sql-mode MODES] "SQL"
struct ExplainOptions {
    std::string sql;
    bool has_backslash_escapes = true;  // false: --sql-mode NO_BACKSLASH_ESCAPES
    bool has_ansi_quotes = false;       // --sql-mode ANSI_QUOTES
    OutputFormat format = OutputFormat::text;
};

// trilith serve [--server NAME] [FILE]
struct ServeOptions {
    std::string file{kDefaultFile};
    std::string server;  // empty: the file has one server
    DirectoryOptions directories;
};

// trilith up [FILE]
struct UpOptions {
    std::string file{kDefaultFile};
    DirectoryOptions directories;
};

// trilith migrate [FILE]
struct MigrateOptions {
    std::string file{kDefaultFile};
    DirectoryOptions directories;
};

// Which running site a verb is for, and how it answers.
struct SiteOptions {
    DirectoryOptions directories;
    std::string site;  // empty: the one that runs
    OutputFormat format = OutputFormat::text;
};

// trilith status [--watch] [--drawing] [--table] [--ascii]
struct StatusOptions {
    SiteOptions site;
    bool is_watching = false;  // --watch: redraws every second
    // Neither: both on a terminal, the table alone elsewhere.
    bool is_drawing_wanted = false;
    bool is_table_wanted = false;
    bool is_ascii = false;  // the drawing has no other characters
};

struct WeightOptions {
    SiteOptions site;
    std::string name;     // a backend, POOL/BACKEND, or a server
    uint32_t weight = 0;  // 0 to 256
};

struct DrainOptions {
    SiteOptions site;
    std::string name;
    bool is_waiting = true;                          // --no-wait: only gives the order
    core::Duration timeout = core::Duration::max();  // --timeout: how long to wait for the last request; none
                                                     // by default
};

struct DisableOptions {
    SiteOptions site;
    std::string name;
};

struct EnableOptions {
    SiteOptions site;
    std::string name;
};

struct UndoOptions {
    SiteOptions site;
    std::string name;  // empty: --all
};

struct ReloadOptions {
    SiteOptions site;
};

struct RestartOptions {
    SiteOptions site;
    std::string server;  // empty: every server that runs the application, one after the other
};

// trilith switchover [--to SERVER] [--dry-run]
struct SwitchoverOptions {
    SiteOptions site;
    std::string to;  // empty: the replica that has most
    bool is_dry = false;
    bool is_killing = false;  // --kill: transactions that do not end by themselves
};

// trilith failover [--to SERVER] [--accept-loss] [--dry-run]
struct FailoverOptions {
    SiteOptions site;
    std::string to;  // empty: the replica that has most
    bool is_dry = false;
    bool is_loss_accepted = false;
};

// trilith rejoin SERVER [--discard-extra] [--dry-run]
struct RejoinOptions {
    SiteOptions site;
    std::string server;
    bool is_dry = false;
    bool is_extra_discarded = false;
};

// trilith sql [--server SERVER] [-- WORDS…]
struct SqlOptions {
    SiteOptions site;
    std::string server;              // empty: the primary
    std::vector<std::string> words;  // for the client
};

// trilith drill NAME [--force]
struct DrillOptions {
    SiteOptions site;
    std::string name;        // "list", "all", or one of the site's drills
    bool is_forced = false;  // --force: also where the site is not whole
};

struct MetricsOptions {
    SiteOptions site;
    std::string server;  // empty: the site has one server
};

// trilith logs [--server NAME] [--tier T] [--lines N] [--request ID] [--follow]
struct LogsOptions {
    SiteOptions site;
    std::string server;         // empty: all
    std::string tier;           // empty: all
    std::string request;        // empty: all; else an id
    size_t lines = 100;         // the newest; with `request` all by default
    bool is_following = false;  // --follow: and what comes
};

// --help, --version: nothing to do but to print.
struct PrintOptions {
    std::string text;
};

using Command = std::variant<
    PrintOptions,
    CheckOptions,
    ExplainOptions,
    ServeOptions,
    UpOptions,
    MigrateOptions,
    StatusOptions,
    WeightOptions,
    DrainOptions,
    DisableOptions,
    EnableOptions,
    UndoOptions,
    ReloadOptions,
    RestartOptions,
    SwitchoverOptions,
    FailoverOptions,
    RejoinOptions,
    SqlOptions,
    DrillOptions,
    MetricsOptions,
    LogsOptions>;

// Reads the words after the program's name. ErrorKind::invalid: wrong usage, in one sentence that names the
// nearest verb or option and where to read on; the program then ends with 2.
[[nodiscard]] core::Result<Command> parse_command_line(std::span<const char* const> words);

}  // namespace node
