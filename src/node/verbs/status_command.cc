#include "node/verbs/status_command.h"

#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "node/status/drawing.h"
#include "node/status/json.h"
#include "node/status/site_troubles.h"
#include "node/status/table.h"
#include "node/verbs/running_site.h"
#include "node/verbs/verb_answers.h"

namespace node {

namespace {

constexpr core::Duration kWatchPause = std::chrono::seconds(1);
// Between the two looks of one drawing: long enough for a rate, short enough to wait for.
constexpr core::Duration kRatePause = std::chrono::milliseconds(500);
constexpr size_t kUsualColumns = 80;

core::Result<SiteStatus> site_status_of(const RunningSite& site, const std::vector<ServerAnswer>& answers) {
    SiteStatus status;
    for (const ServerAnswer& answer : answers) {
        if (answer.is_good()) {
            TRY(ServerStatus server, parse_status_json(*answer.body));
            status.servers.push_back(std::move(server));
        } else {
            status.silent.push_back({.server = answer.server, .why = answer.body.error().context()});
        }
    }
    for (const ServerSocket& socket : site.dead()) {
        status.silent.push_back({.server = socket.server, .why = "its process is gone"});
    }
    add_missing(status);
    return status;
}

std::string servers_json(const std::vector<ServerAnswer>& answers) {
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
std::string frame(const std::string& picture, size_t rows) {
    std::string text = "\x1b[H";
    size_t line = 1;
    for (size_t begin = 0; begin < picture.size() && (rows == 0 || line < rows); ++line) {
        size_t end = picture.find('\n', begin);
        text += picture.substr(begin, end - begin) + "\x1b[K\n";
        begin = end + 1;
    }
    return text + "\x1b[J";
}

// "web2 does not answer: its process is gone; …", or "" for a healthy site.
std::string trouble_line(const SiteStatus& site) {
    std::string line;
    for (const std::string& trouble : troubles_of(site)) {
        line += (line.empty() ? "" : "; ") + trouble;
    }
    return line;
}

class StatusView {
public:
    StatusView(const StatusOptions& options, Console& console) : options_(options), console_(console) {
        bool is_chosen = options.is_drawing_wanted || options.is_table_wanted;
        has_drawing_ = is_chosen ? options.is_drawing_wanted : console.is_terminal;
        has_table_ = is_chosen ? options.is_table_wanted : true;
        is_redrawn_ = options.is_watching && console.is_terminal;
    }

    int run() {
        bool is_json = options_.site.format == OutputFormat::json;
        if (is_redrawn_) {
            console_.out("\x1b[2J");
        } else if (has_drawing_ && !is_json && !options_.is_watching) {
            if (int status = look(); status != kExitDone) {
                return status;
            }
            pause(console_.os, kRatePause);
        }
        for (;;) {
            if (int status = look(); status != kExitDone) {
                return status;
            }
            std::string trouble = trouble_line(site_);
            is_json ? console_.out(servers_json(answers_)) : print(trouble);
            if (!is_redrawn_ && !trouble.empty() && trouble != told_) {
                console_.err("trilith: " + trouble + "\n");
            }
            told_ = trouble;
            if (!options_.is_watching) {
                return trouble.empty() ? kExitDone : kExitFailed;
            }
            pause(console_.os, kWatchPause);
            console_.out(console_.is_terminal ? "" : "\n");
        }
    }

private:
    // Asks all servers; what was heard before is then `earlier_`. Not kExitDone: the site is gone, which was
    // told.
    int look() {
        auto site = RunningSite::find(options_.site, console_);
        if (!site) {
            return report_no_site(site.error(), console_);
        }
        answers_ = site->ask(console_.os, {.method = http::Method::get, .path = "/v1/status", .body = {}});
        auto status = site_status_of(*site, answers_);
        if (!status) {
            return report_error(status.error(), console_);
        }
        earlier_ = std::exchange(site_, *std::move(status)).servers;
        if (site_.servers.empty()) {
            console_.err("trilith: " + trouble_line(site_) + "\n");
            return kExitFailed;
        }
        return kExitDone;
    }

    void print(const std::string& trouble) {
        TerminalSize size = console_.is_terminal ? console_.terminal_size() : TerminalSize{};
        Colour colour = console_.has_colours ? Colour::ansi : Colour::none;
        std::string text = heading(trouble, {.columns = size.columns, .colour = colour});
        if (has_drawing_) {
            DrawingLayout layout{
                .columns = size.columns == 0 ? kUsualColumns : size.columns,
                .colour = colour,
                .charset = options_.is_ascii || !console_.is_utf8 ? Charset::ascii : Charset::unicode,
            };
            text += status_drawing(site_, {.layout = layout, .earlier = earlier_});
            text += has_table_ ? "\n" : "";
        }
        if (has_table_) {
            text +=
                status_table(site_.servers, {.columns = size.columns, .colour = colour, .earlier = earlier_});
        }
        console_.out(is_redrawn_ ? frame(text, size.rows) : text);
    }

    // Where the picture is redrawn there is no other place for what is wrong.
    [[nodiscard]] std::string heading(const std::string& trouble, const TextLayout& layout) const {
        if (!is_redrawn_ || trouble.empty()) {
            return "";
        }
        std::string text;
        TextTable line({Align::left});
        line.add_row({{trouble, Ink::red}});
        line.append_to(text, layout);
        return text + "\n";
    }

    const StatusOptions& options_;
    Console& console_;
    bool has_drawing_ = false;
    bool has_table_ = false;
    bool is_redrawn_ = false;
    std::vector<ServerAnswer> answers_;
    SiteStatus site_;
    std::vector<ServerStatus> earlier_;
    std::string told_;
};

}  // namespace

int run(const StatusOptions& options, Console& console) { return StatusView(options, console).run(); }

}  // namespace node
