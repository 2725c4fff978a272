// Keys that are pressed at the terminal at standard input, one by one and not echoed.
#pragma once

#include <termios.h>

#include <optional>

namespace node {

class TerminalKeys {
public:
    TerminalKeys() = default;
    TerminalKeys(const TerminalKeys&) = delete;
    TerminalKeys& operator=(const TerminalKeys&) = delete;

    ~TerminalKeys() { end(); }

    // Keys come from here on, without Enter; Ctrl-C stays a signal. Where standard input is no terminal, or
    // is another job's, nothing changes and no key comes.
    void begin();
    // The terminal is as it was.
    void end();

    [[nodiscard]] bool is_open() const { return before_.has_value(); }

    // The next key; nothing where none was pressed, or the terminal is another job's. Never waits.
    [[nodiscard]] std::optional<char> next();

private:
    std::optional<termios> before_;
};

}  // namespace node
