#include "sql/prepared_statements.h"

#include <algorithm>
#include <functional>

#include "mysql/capabilities.h"
#include "mysql/wire.h"

namespace sql {

namespace {

bool reads_literals_alike(const SharedState& left, const SharedState& right) {
    auto is_same = [](const StateEntry* one, const StateEntry* other) { return *one == *other; };
    return left == right || std::ranges::equal(literal_entries(left), literal_entries(right), is_same);
}

}  // namespace

bool PreparedText::is_read_alike(const ToldState& told) const {
    return context.database == told.database && reads_literals_alike(context.carried, told.carried);
}

bool PreparedText::means_same(const PreparedText& other) const {
    return this == &other || (digest == other.digest && text == other.text && is_read_alike(other.context));
}

std::shared_ptr<const PreparedText> make_prepared_text(
    std::string_view text,
    const ToldState& context,
    const StatementClass& statement
) {
    std::hash<std::string_view> hash;
    return std::make_shared<const PreparedText>(PreparedText{
        .text = std::string(text),
        .context = context,
        .statement = statement,
        .effects = prepared_effects_of(statement),
        .asks_token = statement.reads_user_variables && mentions_token(text),
        .digest = hash(text) ^ (hash(context.database) * 31),
    });
}

LinkStatement* LinkStatements::find(const PreparedText& wanted) {
    for (LinkStatement& statement : statements_) {
        if (statement.prepared->means_same(wanted)) {
            statement.used_at = ++now_;
            return &statement;
        }
    }
    return nullptr;
}

LinkStatement& LinkStatements::add(LinkStatement added, size_t max) {
    if (std::optional<LinkStatement> same = take(*added.prepared)) {
        close(same->id);
    }
    if (statements_.size() >= max) {
        auto oldest = std::ranges::min_element(statements_, {}, &LinkStatement::used_at);
        close(oldest->id);
        statements_.erase(oldest);
    }
    added.used_at = ++now_;
    statements_.push_back(std::move(added));
    return statements_.back();
}

std::optional<LinkStatement> LinkStatements::take(const PreparedText& wanted) {
    LinkStatement* found = find(wanted);
    if (found == nullptr) {
        return std::nullopt;
    }
    LinkStatement taken = std::move(*found);
    statements_.erase(statements_.begin() + (found - statements_.data()));
    return taken;
}

std::string LinkStatements::take_closing() {
    std::string packets;
    mysql::PayloadWriter writer(packets);
    for (uint32_t id : closing_) {
        writer.begin_packet();
        writer.u8(static_cast<uint8_t>(mysql::Command::statement_close));
        writer.u32(id);
        static_cast<void>(writer.end_packet(0));
    }
    closing_.clear();
    return packets;
}

void LinkStatements::clear() {
    statements_.clear();
    closing_.clear();
}

}  // namespace sql
