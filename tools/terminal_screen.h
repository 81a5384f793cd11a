// The whole terminal as a screen, and the keys that are typed on it. The terminal is as before when the object ends.
#pragma once
#include <optional>
#include <string>
#include <vector>

#include <termios.h>

#include "common/terminal_text.h"

namespace hansa::tools {

// stdin and stdout are the terminal. One at a time, one thread.
class TerminalScreen {
 public:
  // Whether stdout and stdin are a terminal that can move its cursor.
  [[nodiscard]] static bool is_possible();
  TerminalScreen();
  ~TerminalScreen();
  TerminalScreen(const TerminalScreen&) = delete;
  TerminalScreen& operator=(const TerminalScreen&) = delete;

  [[nodiscard]] TerminalSize size() const;
  void draw(const std::vector<std::string>& lines);
  // The keys that were typed; call it when stdin is readable. Ctrl-C is the character 3. Empty: the terminal is gone.
  [[nodiscard]] std::optional<std::string> typed();

 private:
  termios before_{};
};

}  // namespace hansa::tools
