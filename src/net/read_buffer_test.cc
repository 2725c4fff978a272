// Read buffers that share one core's memory: no byte is lost, doubled or mixed up, whoever receives next.
#include "net/read_buffer.h"

#include <algorithm>
#include <memory>
#include <string>
#include <vector>

#include <doctest/doctest.h>

#include "core/random.h"

namespace net {
namespace {

struct Memory {
    BufferPool pool;
    SharedReadBuffer shared{pool};
};

// Receives `bytes` as a socket would: as much as fits, in one piece. Returns how much that was.
size_t receive(ReadBuffer& buffer, std::string_view bytes) {
    std::span<char> target = buffer.prepare();
    size_t count = std::min(target.size(), bytes.size());
    std::copy_n(bytes.begin(), count, target.begin());
    buffer.commit(count);
    return count;
}

void receive_all(ReadBuffer& buffer, std::string_view bytes) {
    while (!bytes.empty()) {
        bytes.remove_prefix(receive(buffer, bytes));
    }
}

std::string pattern(size_t size) {
    std::string text(size, ' ');
    for (size_t at = 0; at < size; ++at) {
        text[at] = static_cast<char>('!' + (at * 7 + at / 89) % 90);
    }
    return text;
}

TEST_CASE("a buffer that is read and emptied at once needs no memory of its own") {
    Memory memory;
    ReadBuffer buffer(memory.shared);
    CHECK(buffer.is_empty());
    CHECK(buffer.bytes().empty());
    for (int round = 0; round < 3; ++round) {
        CHECK(buffer.prepare().size() == SharedReadBuffer::kSize);
        buffer.commit(0);
        std::string text = pattern(40000);
        CHECK(receive(buffer, text) == text.size());
        CHECK(buffer.bytes() == text);
        buffer.consume(30000);
        CHECK(buffer.bytes() == std::string_view(text).substr(30000));
        buffer.consume(10000);
        CHECK(buffer.is_empty());
    }
    CHECK(memory.pool.lent() == 0);
}

TEST_CASE("unused bytes move out of the shared memory when another buffer receives") {
    Memory memory;
    ReadBuffer first(memory.shared);
    ReadBuffer second(memory.shared);
    std::string text = pattern(5000);
    receive(first, text);
    first.consume(1000);
    CHECK(memory.pool.lent() == 0);
    receive(second, "the second");
    CHECK(first.bytes() == std::string_view(text).substr(1000));
    CHECK(second.bytes() == "the second");
    CHECK(memory.pool.lent() == 4096);  // the 4000 bytes alone, not the whole shared buffer
    first.consume(4000);
    CHECK(memory.pool.lent() == 0);
    CHECK(second.bytes() == "the second");
}

TEST_CASE("a failed attempt to receive leaves every buffer as it was") {
    Memory memory;
    ReadBuffer first(memory.shared);
    ReadBuffer second(memory.shared);
    receive(first, "kept");
    CHECK(second.prepare().size() == SharedReadBuffer::kSize);
    second.commit(0);
    CHECK(second.is_empty());
    CHECK(first.bytes() == "kept");
    receive(second, "own");
    CHECK_FALSE(second.prepare().empty());
    second.commit(0);
    CHECK(second.bytes() == "own");
    CHECK(first.bytes() == "kept");
}

TEST_CASE("bytes that arrive one by one are all kept, up to the size of the shared buffer") {
    Memory memory;
    ReadBuffer trickling(memory.shared);
    ReadBuffer other(memory.shared);
    std::string text = pattern(SharedReadBuffer::kSize);
    for (size_t at = 0; at < text.size(); ++at) {
        REQUIRE(receive(trickling, std::string_view(text).substr(at, 1)) == 1);
        if (at % 1000 == 7) {
            receive(other, "x");
            other.clear();
        }
    }
    CHECK(trickling.bytes() == text);
    CHECK(memory.pool.lent() <= 2 * SharedReadBuffer::kSize);
}

TEST_CASE("memory of its own is never more than twice what a small buffer holds") {
    Memory memory;
    ReadBuffer buffer(memory.shared);
    receive(buffer, "a");
    for (size_t size = 1; size < 3000; ++size) {
        receive(buffer, "a");
    }
    CHECK(buffer.bytes() == std::string(3000, 'a'));
    CHECK(memory.pool.lent() <= 8192);
}

TEST_CASE("room in front of unused bytes is used again before memory grows") {
    Memory memory;
    ReadBuffer buffer(memory.shared);
    receive(buffer, "x");
    receive_all(buffer, pattern(2047));  // in memory of its own now, full
    size_t lent = memory.pool.lent();
    REQUIRE(lent == 2048);
    std::string model = "x" + pattern(2047);
    for (int round = 0; round < 50; ++round) {
        buffer.consume(700);
        model.erase(0, 700);
        std::string more = pattern(700);
        receive_all(buffer, more);
        model += more;
        REQUIRE(buffer.bytes() == model);
    }
    CHECK(memory.pool.lent() == lent);
}

TEST_CASE("clear drops everything and gives memory back") {
    Memory memory;
    ReadBuffer first(memory.shared);
    ReadBuffer second(memory.shared);
    receive(first, "one");
    receive(second, "two");
    first.clear();
    second.clear();
    CHECK(first.is_empty());
    CHECK(second.is_empty());
    CHECK(memory.pool.lent() == 0);
    receive(first, "again");
    CHECK(first.bytes() == "again");
}

TEST_CASE("a buffer that ends while it holds the shared memory lets go of it") {
    Memory memory;
    ReadBuffer other(memory.shared);
    {
        ReadBuffer holder(memory.shared);
        receive(holder, "held");
    }
    receive(other, "next");
    CHECK(other.bytes() == "next");
    CHECK(memory.pool.lent() == 0);
}

TEST_CASE("bytes may be changed in place") {
    Memory memory;
    ReadBuffer buffer(memory.shared);
    receive(buffer, "abc");
    buffer.mutable_bytes()[1] = 'X';
    CHECK(buffer.bytes() == "aXc");
}

// Several buffers on one shared memory, each beside a plain string.
class Model {
public:
    Model(uint64_t seed, size_t buffers) : random_(seed), models_(buffers) {
        for (size_t number = 0; number < buffers; ++number) {
            buffers_.push_back(std::make_unique<ReadBuffer>(memory_.shared));
        }
    }

    void step() {
        size_t number = random_.below(buffers_.size());
        ReadBuffer& buffer = *buffers_[number];
        std::string& model = models_[number];
        uint64_t choice = random_.below(20);
        if (choice < 10) {
            receive_some(buffer, model);
        } else if (choice < 18) {
            size_t count = random_.below(3) == 0 ? model.size() : random_.below(model.size() + 1);
            buffer.consume(count);
            model.erase(0, count);
        } else if (choice == 18) {
            buffer.clear();
            model.clear();
        } else {
            buffers_[number] = std::make_unique<ReadBuffer>(memory_.shared);
            model.clear();
        }
        for (size_t each = 0; each < buffers_.size(); ++each) {
            REQUIRE(buffers_[each]->bytes() == models_[each]);
            REQUIRE(buffers_[each]->is_empty() == models_[each].empty());
        }
    }

private:
    void receive_some(ReadBuffer& buffer, std::string& model) {
        if (model.size() >= SharedReadBuffer::kSize) {
            return;
        }
        std::span<char> target = buffer.prepare();
        REQUIRE_FALSE(target.empty());
        // A system may write to all of the target and then report an error: nothing of it is ours.
        std::ranges::fill(target, '?');
        size_t count =
            random_.below(4) == 0 ? 0 : random_.below(random_.below(5) == 0 ? target.size() + 1 : 300);
        count = std::min(count, target.size());
        for (size_t at = 0; at < count; ++at) {
            target[at] = static_cast<char>(random_.next());
        }
        model.append(target.data(), count);
        buffer.commit(count);
    }

    core::Random random_;
    Memory memory_;
    std::vector<std::unique_ptr<ReadBuffer>> buffers_;
    std::vector<std::string> models_;
};

TEST_CASE("several buffers on one shared memory behave as separate strings") {
    for (uint64_t seed = 1; seed <= 12; ++seed) {
        CAPTURE(seed);
        Model model(seed, 1 + seed % 5);
        for (int step = 0; step < 1500; ++step) {
            model.step();
        }
    }
}

}  // namespace
}  // namespace net
