#include "client/join/ask_data.h"

#include <filesystem>
#include <istream>
#include <ostream>

#include "common/text.h"

namespace hansa::client {
namespace {

std::string ask(const char* question, std::istream& from, std::ostream& to) {
  to << question << std::flush;
  std::string line;
  if (!std::getline(from, line)) return {};
  return std::string(trimmed(line));
}

// A basic string of TOML.
std::string toml_text(std::string_view text) {
  std::string out = "\"";
  for (const char c : text) {
    if (c == '"' || c == '\\') out += '\\';
    out += c;
  }
  return out + "\"";
}

bool has_control_characters(std::string_view text) {
  return text.find_first_of("\t\r\n\x1b\x7f") != std::string_view::npos || !is_utf8(text);
}

}  // namespace

std::string ask_data(std::istream& from, std::ostream& to) {
  to << "The examples of this device, of which none is sent. For other kinds than CSV press Enter, and fill "
        "in "
        "[data] later.\n";
  const std::string file = ask("CSV file with a header line: ", from, to);
  if (file.empty() || has_control_characters(file)) return {};
  const std::string label = ask("Column of the label: ", from, to);
  if (label.empty() || has_control_characters(label)) return {};
  std::error_code error;
  std::filesystem::path path = std::filesystem::absolute(file, error);
  if (error) path = file;
  return "kind = \"csv\"\nfile = " + toml_text(path.string()) + "\nlabel = " + toml_text(label) + "\n";
}

}  // namespace hansa::client
