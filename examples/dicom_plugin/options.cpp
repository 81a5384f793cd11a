#include "options.h"

#include <algorithm>
#include <charconv>
#include <cmath>
#include <set>

#include "decoded.h"

namespace hansa_dicom {
namespace {

[[noreturn]] void refuse(std::string_view key, std::string_view value, std::string_view expected) {
  throw Failure("data.options: " + std::string(key) + " is \"" + std::string(value) + "\"; expected " +
                std::string(expected));
}

template <class T>
bool parse(std::string_view text, T& out) {
  const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), out);
  return error == std::errc() && end == text.data() + text.size();
}

std::vector<std::string> split(std::string_view text, char separator) {
  std::vector<std::string> out;
  for (std::size_t begin = 0; begin <= text.size();) {
    const std::size_t end = std::min(text.find(separator, begin), text.size());
    out.emplace_back(trimmed(text.substr(begin, end - begin)));
    begin = end + 1;
  }
  return out;
}

void read_window(std::string_view value, Options& out) {
  if (value == "file") {
    out.window = Window::of_file;
    return;
  }
  if (value == "min-max") {
    out.window = Window::min_max;
    return;
  }
  out.window = Window::given;
  const auto parts = split(value, ',');
  if (parts.size() != 2 || !parse(parts[0], out.centre) || !parse(parts[1], out.width) ||
      !(std::abs(out.centre) <= 1e9) || !(out.width >= 1 && out.width <= 1e9))
    refuse("window", value, "file, min-max, or CENTRE,WIDTH with a width of at least 1");
}

void read_option(std::string_view key, std::string_view value, Options& out) {
  if (key == "size") {
    if (!parse(value, out.size) || out.size == 0 || out.size > size_max)
      refuse(key, value, "1 to " + std::to_string(size_max));
  } else if (key == "classes") {
    out.classes = split(value, ',');
    const std::set<std::string> different(out.classes.begin(), out.classes.end());
    if (different.size() != out.classes.size() || different.contains("") || out.classes.size() > classes_max)
      refuse(key, value, "different names, separated by commas");
  } else if (key == "window") {
    read_window(value, out);
  } else if (key == "fit") {
    if (value != "pad" && value != "crop") refuse(key, value, "pad or crop");
    out.fit = value == "pad" ? Fit::pad : Fit::crop;
  } else if (key == "depth") {
    if (value != "8" && value != "16") refuse(key, value, "8 or 16");
    out.bytes_a_pixel = value == "8" ? 1 : 2;
  } else if (key == "column") {
    out.column = value;
  } else if (key == "burned_in") {
    if (value != "refuse" && value != "accept") refuse(key, value, "refuse or accept");
    out.burned_in = value == "refuse" ? BurnedIn::refuse : BurnedIn::accept;
  } else {
    throw Failure("data.options: \"" + std::string(key) +
                  "\" is unknown; known options: size, classes, window, fit, depth, column, burned_in");
  }
}

}  // namespace

std::string_view trimmed(std::string_view text) {
  constexpr std::string_view blank = " \t\r\n";
  const std::size_t begin = text.find_first_not_of(blank);
  if (begin == std::string_view::npos) return {};
  return text.substr(begin, text.find_last_not_of(blank) - begin + 1);
}

Options read_options(std::string_view text) {
  Options out;
  std::set<std::string> seen;
  for (const std::string& option : split(text, ';')) {
    if (option.empty()) continue;
    const std::size_t equals = option.find('=');
    if (equals == std::string::npos)
      throw Failure("data.options: \"" + option + "\" has no value; expected KEY=VALUE; KEY=VALUE");
    const std::string key(trimmed(std::string_view(option).substr(0, equals)));
    if (!seen.insert(key).second) throw Failure("data.options: " + key + " is set twice");
    read_option(key, trimmed(std::string_view(option).substr(equals + 1)), out);
  }
  if (out.size == 0) throw Failure("data.options: size is missing; add for example \"size=64\"");
  if (out.classes.empty())
    throw Failure(
        "data.options: classes is missing; add the same list on all clients, for example \"classes=no,yes\"");
  return out;
}

}  // namespace hansa_dicom
