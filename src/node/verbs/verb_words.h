// What the words of a verb mean: from what stood in the command line to the verb's options.
#pragma once

#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "core/result.h"
#include "node/verbs/command_line.h"

namespace node {

// Where the parser of the command line puts what it finds; one verb's part of it is used.
struct VerbWords {
    std::string file{kDefaultFile};
    SiteOptions site;
    std::string name;
    std::string number;
    std::string server;
    std::optional<std::string> timeout;
    std::string sql;
    std::string sql_mode;
    std::string tier;
    std::string request;
    bool is_json = false;
    bool is_following = false;
    bool is_explained = false;
    bool is_watching = false;
    bool is_drawing = false;
    bool is_table = false;
    bool is_ascii = false;
    bool is_not_waiting = false;
    bool is_all = false;
    bool is_dry = false;
    bool is_killing = false;
    bool is_loss_accepted = false;
    bool is_extra_discarded = false;
    bool is_forced = false;
    std::vector<std::string> words;
};

// `verb` is one of the command line's. invalid: what they say cannot be done, or excludes each other.
[[nodiscard]] core::Result<Command> command_of(std::string_view verb, VerbWords& found);

}  // namespace node
