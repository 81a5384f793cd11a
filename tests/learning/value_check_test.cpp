// Values that an archive may hold and no honest program writes: the check must end, and in a bounded time.
#include "learning/internal/value_check.h"

#include <ATen/core/List.h>
#include <ATen/core/jit_type.h>
#include <ATen/ops/ones.h>
#include <ATen/ops/zeros.h>
#include <gmock/gmock.h>

namespace hansa::learning {
namespace {

TEST(AdversaryValueCheck, AListThatHoldsItselfIsLookedAtOnce) {
  c10::impl::GenericList list(c10::AnyType::get());
  list.push_back(c10::IValue(list));
  EXPECT_FALSE(find_fault(c10::IValue(list)));
  list.clear();  // or nothing would free it
}

TEST(AdversaryValueCheck, TuplesThatShareTheirElementsAreNotWrittenOut) {
  c10::IValue value(1);
  for (int i = 0; i < 60; ++i) value = c10::ivalue::Tuple::create({value, value});
  const auto fault = find_fault(value);
  ASSERT_TRUE(fault);
  EXPECT_THAT(fault->what, ::testing::HasSubstr("nested too deeply"));
}

// Traced modules have constants of this kind.
TEST(ValueCheck, ATupleOfTensorsIsAllowed) {
  const c10::IValue pair = c10::ivalue::Tuple::create({at::ones({2, 3}), at::zeros({4})});
  EXPECT_FALSE(find_fault(pair));
  c10::impl::GenericList list(pair.type());
  list.push_back(pair);
  EXPECT_FALSE(find_fault(c10::IValue(list)));
}

TEST(AdversaryValueCheck, AListOfNumbersWithATextIsRefused) {
  c10::impl::GenericList list(c10::IntType::get());
  list.push_back(1);
  EXPECT_FALSE(find_fault(c10::IValue(list)));
  list.push_back(c10::IValue("text"));
  const auto fault = find_fault(c10::IValue(list));
  ASSERT_TRUE(fault);
  EXPECT_THAT(fault->what, ::testing::HasSubstr("holds str in a list, which is declared as int"));
}

}  // namespace
}  // namespace hansa::learning
