// Experiments as straight-line code: a coroutine that asks and is answered, with other such coroutines as its steps. Between two
// answers nothing runs, and the same answers lead to the same questions.
#pragma once

#include <coroutine>
#include <exception>
#include <optional>
#include <utility>

#include "core/error.hpp"
#include "experiment/experiment.hpp"

namespace unveil {

/// Shared by a dialogue and all its steps.
struct DialogueState {
    std::coroutine_handle<> waiting;    // to be resumed with the answer
    std::optional<Message> pending;
    Trial answer;
};

template <typename T>
class Dialogue;

class DialoguePromiseBase {
  public:
    DialogueState* state = nullptr;
    std::coroutine_handle<> continuation;
    std::exception_ptr failure;

    std::suspend_always initial_suspend() noexcept { return {}; }
    struct Final {
        bool await_ready() noexcept { return false; }
        template <typename Promise>
        std::coroutine_handle<> await_suspend(std::coroutine_handle<Promise> ended) noexcept {
            const auto continuation = ended.promise().continuation;
            return continuation ? continuation : std::noop_coroutine();
        }
        void await_resume() noexcept {}
    };
    Final final_suspend() noexcept { return {}; }
    void unhandled_exception() { failure = std::current_exception(); }
};

template <typename T>
class DialoguePromise final : public DialoguePromiseBase {
  public:
    Dialogue<T> get_return_object();
    void return_value(T given) { value = std::move(given); }
    std::optional<T> value;
};

/// What a step gives back when it has been answered enough. Steps are awaited at most once.
template <typename T>
class Dialogue {
  public:
    using promise_type = DialoguePromise<T>;
    explicit Dialogue(std::coroutine_handle<promise_type> handle) : m_handle(handle) {}
    Dialogue(Dialogue&& other) noexcept : m_handle(std::exchange(other.m_handle, {})) {}
    Dialogue(const Dialogue&) = delete;
    Dialogue& operator=(const Dialogue&) = delete;
    ~Dialogue() {
        if (m_handle) m_handle.destroy();
    }

    bool await_ready() const noexcept { return false; }
    template <typename Promise>
    std::coroutine_handle<> await_suspend(std::coroutine_handle<Promise> parent) noexcept {
        m_handle.promise().state = parent.promise().state;
        m_handle.promise().continuation = parent;
        return m_handle;
    }
    T await_resume() {
        if (m_handle.promise().failure) std::rethrow_exception(m_handle.promise().failure);
        return std::move(*m_handle.promise().value);
    }

    /// Begins the outermost one.
    void start(DialogueState& state) {
        m_handle.promise().state = &state;
        m_handle.resume();
        check();
    }
    void check() const {
        if (m_handle.promise().failure) std::rethrow_exception(m_handle.promise().failure);
    }
    bool is_done() const { return m_handle.done(); }
    const T& value() const { return *m_handle.promise().value; }

  private:
    std::coroutine_handle<promise_type> m_handle;
};

template <typename T>
Dialogue<T> DialoguePromise<T>::get_return_object() {
    return Dialogue<T>(std::coroutine_handle<DialoguePromise<T>>::from_promise(*this));
}

/// co_await ask: sends the message, gives the trial that it became.
class Ask {
  public:
    explicit Ask(Message message) : m_message(std::move(message)) {}
    bool await_ready() const noexcept { return false; }
    template <typename Promise>
    void await_suspend(std::coroutine_handle<Promise> asker) {
        m_state = asker.promise().state;
        m_state->pending = std::move(m_message);
        m_state->waiting = asker;
    }
    Trial await_resume() { return std::move(m_state->answer); }

  private:
    Message m_message;
    DialogueState* m_state = nullptr;
};

/// Hands an answer to whoever waits for it.
template <typename T>
void answer_dialogue(Dialogue<T>& outermost, DialogueState& state, const Trial& trial) {
    UNVEIL_ASSERT(state.pending.has_value());
    state.pending.reset();
    state.answer = trial;
    std::exchange(state.waiting, {}).resume();
    outermost.check();
}

}  // namespace unveil
