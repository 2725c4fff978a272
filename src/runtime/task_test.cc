// Tasks: values and their ownership, nesting to any depth, parameters that live exactly as long as their
// frame.
#include "runtime/task.h"

#include <memory>
#include <string>
#include <utility>

#include <doctest/doctest.h>

#include "runtime/linux_os.h"
#include "runtime/reactor.h"

namespace runtime {
namespace {

using namespace std::chrono_literals;

struct Machine {
    LinuxOs os;
    std::unique_ptr<Reactor> reactor = *Reactor::open(os);
};

// Counts its lives: every object that was made must be destroyed once, and one value at a time owns the
// engagement.
struct Lives {
    int made = 0;
    int destroyed = 0;
    int engaged_destroyed = 0;
};

class Guard {
public:
    explicit Guard(Lives& lives) : lives_(&lives), is_engaged_(true) { ++lives.made; }

    Guard(Guard&& other) noexcept
        : lives_(other.lives_), is_engaged_(std::exchange(other.is_engaged_, false)) {
        ++lives_->made;
    }

    Guard& operator=(Guard&&) = delete;

    ~Guard() {
        ++lives_->destroyed;
        if (is_engaged_) {
            ++lives_->engaged_destroyed;
        }
    }

private:
    Lives* lives_;
    bool is_engaged_;
};

Task<std::string> give_text() { co_return std::string(100, 'x'); }

Task<std::unique_ptr<int>> give_number(int number) { co_return std::make_unique<int>(number); }

Task<void> take_values(bool& has_ended) {
    std::string text = co_await give_text();
    CHECK(text == std::string(100, 'x'));
    std::unique_ptr<int> number = co_await give_number(42);
    CHECK(*number == 42);
    has_ended = true;
}

TEST_CASE("a task hands its value over to its awaiter") {
    Machine machine;
    bool has_ended = false;
    machine.reactor->run(take_values(has_ended));
    CHECK(has_ended);
    CHECK(machine.reactor->is_done());
}

TEST_CASE("a task does not run before it is awaited") {
    bool has_ended = false;
    {
        [[maybe_unused]] Task<void> unawaited = take_values(has_ended);
    }
    CHECK_FALSE(has_ended);
}

Task<int> add_one(int number) { co_return number + 1; }

Task<int> nest(int depth) {
    if (depth == 0) {
        co_return 0;
    }
    int inner = co_await nest(depth - 1);
    co_return inner + 1;
}

Task<void> count_far(int& total) {
    for (int round = 0; round < 300000; ++round) {
        total = co_await add_one(total);
    }
}

Task<void> nest_far(int& depth) { depth = co_await nest(20000); }

TEST_CASE("a loop over tasks that never suspend does not grow the stack") {
    Machine machine;
    int total = 0;
    machine.reactor->run(count_far(total));
    CHECK(total == 300000);
}

TEST_CASE("deeply nested tasks unwind to their first awaiter") {
    Machine machine;
    int depth = 0;
    machine.reactor->run(nest_far(depth));
    CHECK(depth == 20000);
}

Task<Fiber*> fiber_of_callee() { co_return &co_await CurrentFiber{}; }

Task<void> compare_fibers(bool& is_same) {
    Fiber& own = co_await CurrentFiber{};
    Fiber* callees = co_await fiber_of_callee();
    is_same = callees == &own;
}

TEST_CASE("a callee runs on the fiber of its awaiter") {
    Machine machine;
    bool is_same = false;
    machine.reactor->run(compare_fibers(is_same));
    CHECK(is_same);
}

// Parameters are destroyed once: some versions of clang destroyed a moved-from and moved-on parameter twice
// (https://github.com/llvm/llvm-project/issues/130326).
[[gnu::noinline]] void note(int& notes) { ++notes; }

Task<void> end_at_once(Guard, int& notes) {
    note(notes);
    co_return;
}

Task<void> pass_on(Guard guard, int& notes) { co_await end_at_once(std::move(guard), notes); }

Task<void> suspend_with(Reactor& reactor, Guard, int& notes) {
    co_await reactor.yield();
    note(notes);
}

Task<void> pass_on_and_suspend(Reactor& reactor, Guard guard, int& notes) {
    co_await suspend_with(reactor, std::move(guard), notes);
    co_await reactor.yield();
}

Task<Guard> give_back(Guard guard) { co_return std::move(guard); }

Task<void> keep_returned(Guard guard, int& notes) {
    Guard returned = co_await give_back(std::move(guard));
    note(notes);
}

void check_destroyed_once(const Lives& lives) {
    CHECK(lives.made == lives.destroyed);
    CHECK(lives.engaged_destroyed == 1);
}

TEST_CASE("parameters are destroyed once when the task ends without suspending") {
    Machine machine;
    Lives lives;
    int notes = 0;
    machine.reactor->run(pass_on(Guard(lives), notes));
    CHECK(notes == 1);
    check_destroyed_once(lives);
}

TEST_CASE("parameters are destroyed once when the task suspends") {
    Machine machine;
    Lives lives;
    int notes = 0;
    machine.reactor->run(pass_on_and_suspend(*machine.reactor, Guard(lives), notes));
    CHECK(notes == 1);
    check_destroyed_once(lives);
}

TEST_CASE("parameters are destroyed once when they are returned") {
    Machine machine;
    Lives lives;
    int notes = 0;
    machine.reactor->run(keep_returned(Guard(lives), notes));
    CHECK(notes == 1);
    check_destroyed_once(lives);
}

TEST_CASE("parameters are destroyed once when the task is never started") {
    Lives lives;
    int notes = 0;
    {
        [[maybe_unused]] Task<void> unawaited = pass_on(Guard(lives), notes);
    }
    CHECK(notes == 0);
    check_destroyed_once(lives);
}

TEST_CASE("a moved task is awaited in its new place") {
    Machine machine;
    Lives lives;
    int notes = 0;
    Task<void> first = pass_on(Guard(lives), notes);
    Task<void> second = std::move(first);
    CHECK(notes == 0);
    machine.reactor->run(std::move(second));
    CHECK(notes == 1);
    check_destroyed_once(lives);
}

}  // namespace
}  // namespace runtime
