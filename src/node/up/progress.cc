#include "node/up/progress.h"

#include <algorithm>
#include <array>
#include <format>
#include <utility>

#include "node/terminal/quantity_text.h"

namespace node {

namespace {

std::string seconds_text(core::Duration duration) {
    return std::format("{:.1f}s", std::chrono::duration<double>(duration).count());
}

// The same step, though it tells how far it is: "has copied 12 MiB".
bool is_same_step(std::string_view one, std::string_view other) {
    auto is_digit = [](char c) { return (c >= '0' && c <= '9') || c == '.'; };
    std::string a(one);
    std::string b(other);
    std::erase_if(a, is_digit);
    std::erase_if(b, is_digit);
    return a == b;
}

// A line of our log is its time, the server's name where it bears one, its level and component: from there
// on.
std::string_view level_and_rest(std::string_view line, std::string_view server) {
    size_t space = line.find(' ');
    if (space == std::string_view::npos) {
        return {};
    }
    line.remove_prefix(space + 1);
    if (!server.empty() && line.starts_with(server) && line.substr(server.size()).starts_with(' ')) {
        line.remove_prefix(server.size() + 1);
    }
    return line;
}

bool is_information(std::string_view rest) { return rest.starts_with("info "); }

// That something else does not answer, does not copy, has no backend: as it must be while a site starts or
// stops. What a server waits for meanwhile is its step.
bool is_of_others(std::string_view rest) {
    constexpr std::array<std::string_view, 4>
        kOfOthers{"warn health:", "error health:", "warn sql:", "warn database:"};
    return std::ranges::any_of(kOfOthers, [&](std::string_view begin) { return rest.starts_with(begin); });
}

}  // namespace

UpProgress::UpProgress(runtime::Os& os, std::string site)
    : os_(os), site_(std::move(site)), began_(os.now()) {
    if (view_.is_shown()) {
        keys_.begin();
    }
}

void UpProgress::add_server(const std::string& server) { row_of(server).text = "waits"; }

UpProgress::Row& UpProgress::row_of(std::string_view name) {
    auto found = std::ranges::find(rows_, name, &Row::name);
    if (found == rows_.end()) {
        found = rows_.insert(
            rows_.end(),
            Row{.name = std::string(name), .text = {}, .since = os_.now(), .rate = {}}
        );
    }
    return *found;
}

void UpProgress::take_line(std::string_view line, std::string_view server) {
    std::string_view rest = level_and_rest(line, server);
    auto row = std::ranges::find(rows_, server, &Row::name);
    bool is_between = row != rows_.end() && (!row->has_come_up || is_stopping_);
    bool is_left_out = is_information(rest) || (is_between && is_of_others(rest));
    if (!view_.is_shown() || has_all_lines_ || !is_left_out) {
        view_.say(line);
    }
}

void UpProgress::take_step(Row& row, UpMark mark, std::string text) {
    bool is_new = !is_same_step(row.text, text) || row.mark != mark;
    row.mark = mark;
    row.text = std::move(text);
    if (is_new) {
        row.since = os_.now();
        tell(row);
    }
}

void UpProgress::tell(const Row& row) {
    core::Duration after = os_.now() - began_;
    if (view_.is_shown()) {
        view_.say(std::format("{:>7}  {}: {}\n", seconds_text(after), row.name, printable(row.text)));
    } else if (log_ != nullptr && row.mark == UpMark::working) {
        log_->info("up", "step", {{"of", row.name}, {"after", seconds_text(after)}, {"doing", row.text}});
    }
}

void UpProgress::starts(std::string_view server) {
    Row& row = row_of(server);
    row.stage = ReadyStage::starting;
    row.is_serving = row.has_come_up = false;
    row.counted_at = core::Instant::never();
    take_step(row, UpMark::working, "starts");
}

void UpProgress::follow(std::string_view server, const ReadyReader& readiness) {
    Row& row = row_of(server);
    if (readiness.stage() == ReadyStage::starting || is_stopping_) {
        return;
    }
    const std::string& reason = readiness.reason();
    if (!reason.empty()) {
        row.is_serving = false;
        take_step(row, UpMark::working, reason);
    } else if (readiness.stage() == ReadyStage::ready) {
        // Without a line where it is well: it says so for itself.
        const ServerNote& note = readiness.note();
        if (!note.is_well) {
            row.is_serving = false;
            take_step(row, UpMark::bad, note.text);
            return;
        }
        row.has_come_up = true;
        row.mark = UpMark::good;
        row.text = note.text.empty() ? "ready" : note.text;
        if (!std::exchange(row.is_serving, true)) {
            row.since = os_.now();
            if (view_.is_shown()) {
                tell(row);
            }
        }
    }
    count(row, readiness);
}

void UpProgress::count(Row& row, const ReadyReader& readiness) {
    if (readiness.requests() == row.requests && !row.counted_at.is_never() &&
        os_.now() - row.counted_at < kBeatInterval * 2) {
        return;
    }
    if (!row.counted_at.is_never()) {
        row.rate = rate_text(readiness.requests(), row.requests, os_.now() - row.counted_at) + "/s";
    }
    row.requests = readiness.requests();
    row.counted_at = os_.now();
}

void UpProgress::follow(UpMigrations& migrations) {
    constexpr std::string_view kMigrations = "migrations";
    migrations.output().look([this](std::string_view line) { take_line(line); });
    bool is_known = std::ranges::contains(rows_, kMigrations, &Row::name);
    if (migrations.is_running()) {
        came_to(kMigrations, UpMark::working, "runs what is new");
    } else if (is_known) {
        bool is_done = migrations.is_done();
        came_to(kMigrations, is_done ? UpMark::good : UpMark::bad, is_done ? "done" : "cannot be run yet");
    }
}

void UpProgress::came_to(std::string_view name, UpMark mark, std::string text) {
    Row& row = row_of(name);
    row.is_serving = false;
    take_step(row, mark, std::move(text));
}

void UpProgress::is_up(std::string_view address, std::string_view files) {
    address_ = address.empty() ? "at the addresses of its servers" : address;
    files_ = files;
    std::string text = std::format("{} is up: {}\n", site_, address_);
    text += files.empty() ? "" : std::format("its files are in {}\n", files);
    view_.say(text);
}

void UpProgress::stops() { is_stopping_ = true; }

UpPicture UpProgress::picture() const {
    UpPicture picture;
    std::string what = address_.empty() ? std::format("is starting, {}", seconds_text(os_.now() - began_))
                                        : "is up: " + address_;
    picture.heading = std::format("{} {}", site_, is_stopping_ ? "is stopping" : what);
    for (const Row& row : rows_) {
        bool is_timed = row.mark == UpMark::working;
        picture.rows.push_back({
            .name = row.name,
            .mark = row.mark,
            .text = row.text,
            .figure = is_timed         ? seconds_text(os_.now() - row.since)
                      : row.is_serving ? row.rate
                                       : "",
        });
    }
    std::string keys = is_stopping_ ? "a second Ctrl-C stops all at once" : "Ctrl-C stops all in order";
    if (keys_.is_open()) {
        keys += std::format("; {} {}", kLinesKey, has_all_lines_ ? "shows fewer lines" : "shows all lines");
    }
    picture.footer.push_back(keys + (is_stopping_ ? "" : "; more: `trilith status --watch`"));
    return picture;
}

void UpProgress::draw() {
    for (auto key = keys_.next(); key; key = keys_.next()) {
        has_all_lines_ = (*key == kLinesKey) != has_all_lines_;
    }
    if (view_.is_shown()) {
        view_.show(picture());
    }
}

void UpProgress::end() {
    draw();
    view_.end();
    keys_.end();
}

}  // namespace node
