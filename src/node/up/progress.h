// What `trilith up` tells of its servers: a line a step with its time, and on a terminal a block in place of
// the log, in which each server's step and rate stand.
#pragma once

#include <string>
#include <string_view>
#include <vector>

#include "core/log.h"
#include "core/units.h"
#include "node/serve/readiness.h"
#include "node/terminal/keys.h"
#include "node/up/migrations.h"
#include "node/up/view.h"
#include "runtime/os.h"

namespace node {

class UpProgress {
public:
    // Pressed on a terminal: all lines of the logs are shown; once more: as before.
    static constexpr char kLinesKey = 'l';

    UpProgress(runtime::Os& os, std::string site);

    // The lines that the steps are told by where no terminal is there. Before anything else.
    void begin(core::Log& log) { log_ = &log; }
    void add_server(const std::string& server);

    // Where the servers' own lines are to come through here: on a terminal.
    [[nodiscard]] bool takes_output() const { return view_.is_shown(); }
    // A line of a log, ours or a server's: shown as it is without a terminal; on one, above the block, and
    // unless kLinesKey was pressed what is no warning and no error is left out, and what a server that is not
    // up yet, or stops in order, says of others. `server`: whose name the line bears behind its time; empty:
    // it bears none.
    void take_line(std::string_view line, std::string_view server = {});

    void starts(std::string_view server);
    // As the server told last.
    void follow(std::string_view server, const ReadyReader& readiness);
    void follow(UpMigrations& migrations);
    // It came to this. `text`: "died by signal 9: is started again in 250ms".
    void came_to(std::string_view name, UpMark mark, std::string text);
    // The site is up: the sentence, and where its files are.
    void is_up(std::string_view address, std::string_view files);
    void stops();

    // Draws what has changed, and obeys the keys that were pressed.
    void draw();
    // Leaves the block as it is, and the terminal as it was.
    void end();

private:
    struct Row {
        std::string name;
        UpMark mark = UpMark::working;
        std::string text;
        core::Instant since;
        ReadyStage stage = ReadyStage::starting;
        uint64_t requests = 0;  // at the last beat
        core::Instant counted_at = core::Instant::never();
        std::string rate;
        bool is_serving = false;   // it is ready: a rate stands in place of the time
        bool has_come_up = false;  // since it was started last
    };

    Row& row_of(std::string_view name);
    void take_step(Row& row, UpMark mark, std::string text);
    void count(Row& row, const ReadyReader& readiness);
    void tell(const Row& row);
    [[nodiscard]] UpPicture picture() const;

    runtime::Os& os_;
    std::string site_;
    core::Log* log_ = nullptr;
    core::Instant began_;
    UpView view_;
    TerminalKeys keys_;
    bool has_all_lines_ = false;
    std::vector<Row> rows_;
    std::string address_;  // not empty: the site is up
    std::string files_;
    bool is_stopping_ = false;
};

}  // namespace node
