// Blanks and comments between tokens: which ones a server skips, and the content of which it executes.
#include "mysql/sql_bytes.h"
#include "mysql/sql_tokens.h"

namespace mysql {

namespace {

std::string_view trimmed(std::string_view text) {
    while (!text.empty() && class_of(text.front()) == ByteClass::blank) {
        text.remove_prefix(1);
    }
    while (!text.empty() && class_of(text.back()) == ByteClass::blank) {
        text.remove_suffix(1);
    }
    return text;
}

// MY_LEX_MINUS_OR_COMMENT: "--" begins a comment before a blank, a control byte or the end.
bool begins_comment_behind_dashes(char byte) {
    return static_cast<unsigned char>(byte) <= ' ' || byte == '\x7F';
}

}  // namespace

// False: the text cannot be followed from here on.
bool TokenReader::skip_blanks() {
    while (position_ < text_.size()) {
        const char byte = text_[position_];
        if (class_of(byte) == ByteClass::blank) {
            ++position_;
            continue;
        }
        if (byte == '#' || byte == '-' || byte == '/' || byte == '*') {
            const size_t before = position_;
            if (!skip_comment()) {
                return false;
            }
            if (position_ != before) {
                continue;
            }
        }
        return true;
    }
    return true;
}

// Where a comment, or the mark that begins or ends an executed one, stands: passes it.
bool TokenReader::skip_comment() {
    const char byte = text_[position_];
    const char second = byte_at(position_ + 1);
    if (byte == '#') {
        skip_line();
    } else if (byte == '-' && second == '-' && begins_comment_behind_dashes(byte_at(position_ + 2))) {
        skip_line();
    } else if (byte == '*' && second == '/' && is_in_executed_comment_) {
        is_in_executed_comment_ = false;
        position_ += 2;
    } else if (byte == '/' && second == '*') {
        return skip_long_comment();
    }
    return true;
}

void TokenReader::skip_line() {
    // A NUL ends such a comment too (MY_LEX_COMMENT), and is then what cannot be followed.
    position_ = find_either(text_, position_, '\n', '\0');
}

bool TokenReader::skip_long_comment() {
    const size_t begin = position_ + 2;
    if (byte_at(begin) == '!') {
        return enter_versioned_comment(begin + 1, false);
    }
    if (byte_at(begin) == 'M' && byte_at(begin + 1) == '!') {
        return enter_versioned_comment(begin + 2, true);
    }
    const size_t end = text_.find("*/", begin);
    if (end == std::string_view::npos) {
        return false;
    }
    remember_comment(begin, end);
    position_ = end + 2;
    return true;
}

// Five digits are a version, and six if a sixth follows; anything else is content already.
bool TokenReader::enter_versioned_comment(size_t after_mark, bool is_mariadb_mark) {
    constexpr uint32_t kFirstMysqlOnly = 50700;  // MySQL 5.7 and later say nothing about MariaDB,
    constexpr uint32_t kLastMysqlOnly = 99999;   // whose versions continue at 10.0
    uint32_t version = 0;
    size_t digits = 0;
    while (digits < 6 && is_digit(byte_at(after_mark + digits))) {
        version = version * 10 + static_cast<uint32_t>(text_[after_mark + digits] - '0');
        ++digits;
    }
    const bool has_version = digits >= 5;
    const bool is_mysql_only = version >= kFirstMysqlOnly && version <= kLastMysqlOnly && !is_mariadb_mark;
    if (!has_version || (version <= settings_.server_version && !is_mysql_only)) {
        is_in_executed_comment_ = true;
        position_ = has_version ? after_mark + digits : after_mark;
        return true;
    }
    // What is not executed may have plain comments inside, one level deep (consume_comment).
    size_t place = after_mark + digits;
    while (true) {
        place = find_either(text_, place, '*', '/');
        if (place >= text_.size()) {
            return false;
        }
        const char second = byte_at(place + 1);
        if (text_[place] == '*' && second == '/') {
            position_ = place + 2;
            return true;
        }
        if (text_[place] == '/' && second == '*') {
            const size_t end = text_.find("*/", place + 2);
            if (end == std::string_view::npos) {
                return false;
            }
            place = end + 2;
        } else {
            ++place;
        }
    }
}

void TokenReader::remember_comment(size_t begin, size_t end) {
    if (settings_.comment_mark.empty() || !marked_comment_.empty()) {
        return;
    }
    std::string_view content = trimmed(text_.substr(begin, end - begin));
    if (content.starts_with(settings_.comment_mark)) {
        marked_comment_ = trimmed(content.substr(settings_.comment_mark.size()));
    }
}

}  // namespace mysql
