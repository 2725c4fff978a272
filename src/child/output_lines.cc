#include "child/output_lines.h"

#include <algorithm>
#include <format>
#include <utility>

namespace child {

namespace {

constexpr std::string_view kCutMark = " [cut: a line of more than 8KiB]";

void append_escaped(std::string& target, std::string_view text) {
    for (char c : text) {
        auto byte = static_cast<unsigned char>(c);
        if (byte < ' ' || byte == 0x7F) {
            target += std::format("\\x{:02x}", byte);
        } else {
            target += c;
        }
    }
}

}  // namespace

void LastLines::add(std::string_view line) {
    line = line.substr(0, kLastBytes);
    lines_.emplace_back(line);
    bytes_ += line.size();
    while (lines_.size() > kLastLines || bytes_ > kLastBytes) {
        bytes_ -= lines_.front().size();
        lines_.pop_front();
    }
}

std::string LastLines::text() const {
    std::string text;
    for (const std::string& line : lines_) {
        text += text.empty() ? "" : "\n";
        append_escaped(text, line);
    }
    return text;
}

void OutputLines::feed(std::string_view bytes, core::Instant now) {
    while (!bytes.empty()) {
        size_t end = bytes.find('\n');
        append(bytes.substr(0, end));
        if (end == std::string_view::npos) {
            return;
        }
        end_line(now);
        bytes.remove_prefix(end + 1);
    }
}

void OutputLines::append(std::string_view piece) {
    if (is_cut_) {
        return;
    }
    size_t taken = std::min(piece.size(), kLineMax - line_.size());
    line_ += piece.substr(0, taken);
    if (taken < piece.size()) {
        is_cut_ = true;
        line_ += kCutMark;
    }
}

void OutputLines::end_line(core::Instant now) {
    if (line_.ends_with('\r')) {
        line_.pop_back();
    }
    last_.add(line_);
    emit(now);
    line_.clear();
    is_cut_ = false;
}

void OutputLines::emit(core::Instant now) {
    if (!second_ || now - *second_ >= std::chrono::seconds(1)) {
        tell_dropped();
        second_ = now;
        lines_in_second_ = 0;
    }
    if (lines_in_second_ == kLinesPerSecond) {
        ++dropped_;
        return;
    }
    ++lines_in_second_;
    emit_(line_, 0);
}

void OutputLines::tell_dropped() {
    if (uint64_t count = std::exchange(dropped_, 0); count > 0) {
        emit_({}, count);
    }
}

void OutputLines::finish() {
    if (!line_.empty()) {
        last_.add(line_);
        emit_(line_, 0);
        line_.clear();
    }
    tell_dropped();
}

}  // namespace child
