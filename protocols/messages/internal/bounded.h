// Fields with bounds for cereal. An archive is cereal's portable binary archive, for input or for output.
#pragma once
#include <algorithm>
#include <array>
#include <cassert>
#include <cmath>
#include <cstdint>
#include <optional>
#include <stdexcept>
#include <string>
#include <type_traits>
#include <variant>
#include <vector>

#include <cereal/archives/portable_binary.hpp>
#include <cereal/cereal.hpp>

#include "common/digest.h"
#include "common/identifiers.h"
#include "common/text.h"
#include "common/training.h"
#include "protocols/messages/type.h"

namespace hansa::messages::internal {

// Thrown while decoding, caught in codec.cpp: no exception leaves this folder.
struct OutOfBounds : std::runtime_error {
  using std::runtime_error::runtime_error;
};

template <class Archive>
inline constexpr bool is_loading = Archive::is_loading::value;

// Encoding stops at the maximum, and at a byte that is not UTF-8.
template <class Archive>
void text(Archive& archive, std::string& value, std::size_t bytes_max) {
  auto size = static_cast<std::uint32_t>(value.size());
  if constexpr (!is_loading<Archive>) size = static_cast<std::uint32_t>(utf8_prefix(value, bytes_max));
  archive(size);
  if constexpr (is_loading<Archive>) {
    if (size > bytes_max) throw OutOfBounds("a text is longer than " + std::to_string(bytes_max) + " bytes");
    value.resize(size);
  }
  archive(cereal::binary_data(value.data(), size));
  if constexpr (is_loading<Archive>) {
    if (!is_utf8(value)) throw OutOfBounds("a text is not UTF-8");
  }
}

// A text that must not be truncated. Its length was checked where it was created.
template <class Archive>
void exact_text(Archive& archive, std::string& value, std::size_t bytes_max) {
  if constexpr (!is_loading<Archive>) assert(value.size() <= bytes_max);
  text(archive, value, bytes_max);
}

template <class Archive>
void texts(Archive& archive, std::vector<std::string>& values, std::size_t count_max, std::size_t bytes_max) {
  auto size = static_cast<std::uint32_t>(values.size());
  if constexpr (!is_loading<Archive>) size = static_cast<std::uint32_t>(std::min(values.size(), count_max));
  archive(size);
  if constexpr (is_loading<Archive>) {
    if (size > count_max) throw OutOfBounds("more than " + std::to_string(count_max) + " texts");
    values.resize(size);
  }
  for (std::uint32_t i = 0; i < size; ++i) text(archive, values[i], bytes_max);
}

template <class Archive>
void digest(Archive& archive, Digest& value) {
  archive(cereal::binary_data(value.bytes.data(), value.bytes.size()));
}

template <class Archive, class Tag, class Representation>
void identifier(Archive& archive, Identifier<Tag, Representation>& value) {
  archive(value.value);
}

template <class Archive>
void finite(Archive& archive, double& value) {
  archive(value);
  if constexpr (is_loading<Archive>) {
    if (!std::isfinite(value)) throw OutOfBounds("a number is not finite");
  }
}

template <class Archive, std::size_t N>
void octets(Archive& archive, std::array<std::uint8_t, N>& value) {
  archive(cereal::binary_data(value.data(), value.size()));
}

// At most count_max elements, each read or written by `field`.
template <class Archive, class T, class Field>
void list(Archive& archive, std::vector<T>& values, std::size_t count_max, Field field) {
  auto size = static_cast<std::uint32_t>(values.size());
  archive(size);
  if constexpr (is_loading<Archive>) {
    if (size > count_max) throw OutOfBounds("a list is longer than " + std::to_string(count_max));
    values.resize(size);
  }
  for (T& value : values) field(value);
}

// The same, with at least one element.
template <class Archive, class T, class Field>
void list_of_some(Archive& archive, std::vector<T>& values, std::size_t count_max, Field field) {
  list(archive, values, count_max, field);
  if constexpr (is_loading<Archive>) {
    if (values.empty()) throw OutOfBounds("a list is empty");
  }
}

// The index of the alternative that a variant holds. The caller reads or writes the value after it.
template <class Archive, class... Alternatives>
void alternative(Archive& archive, std::variant<Alternatives...>& value) {
  auto number = static_cast<std::uint8_t>(value.index());
  archive(number);
  if constexpr (is_loading<Archive>) {
    if (number >= sizeof...(Alternatives)) throw OutOfBounds("the type of a value is unknown");
    const std::array<std::variant<Alternatives...>, sizeof...(Alternatives)> empty{Alternatives{}...};
    value = empty[number];
  }
}

template <class Archive>
void flag(Archive& archive, bool& value) {
  std::uint8_t number = value ? 1 : 0;
  archive(number);
  if constexpr (is_loading<Archive>) {
    if (number > 1) throw OutOfBounds("a flag is neither 0 nor 1");
    value = number == 1;
  }
}

template <class Archive, class T, class Field>
void optional(Archive& archive, std::optional<T>& value, Field field) {
  bool there = value.has_value();
  flag(archive, there);
  if constexpr (is_loading<Archive>) {
    if (there) value.emplace();
  }
  if (value) field(*value);
}

// The enumerators from 0 to last.
template <class Archive, class Enumeration>
void enumeration(Archive& archive, Enumeration& value, Enumeration last) {
  auto number = static_cast<std::uint8_t>(value);
  archive(number);
  if constexpr (is_loading<Archive>) {
    if (number > static_cast<std::uint8_t>(last)) throw OutOfBounds("an enumerator is unknown");
    value = static_cast<Enumeration>(number);
  }
}

template <class Archive, class Number>
void ranged(Archive& archive, Number& value, Number min, Number max) {
  archive(value);
  if constexpr (is_loading<Archive>) {
    if (value < min || value > max) throw OutOfBounds("a number is out of range");
  }
}

template <class Archive>
void metrics(Archive& archive, Metrics& value) {
  auto size = static_cast<std::uint32_t>(value.size());
  if constexpr (!is_loading<Archive>) size = static_cast<std::uint32_t>(std::min(value.size(), metrics_max));
  archive(size);
  if constexpr (is_loading<Archive>) {
    if (size > metrics_max) throw OutOfBounds("more than " + std::to_string(metrics_max) + " metrics");
    value.resize(size);
  }
  for (std::uint32_t i = 0; i < size; ++i) {
    text(archive, value[i].name, name_bytes_max);
    finite(archive, value[i].sum);
    finite(archive, value[i].count);
  }
}

}  // namespace hansa::messages::internal
