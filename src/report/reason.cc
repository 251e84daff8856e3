// SPDX-License-Identifier: Apache-2.0
#include "report/reason.h"

namespace weir::report {

std::string_view name_of(Reason reason) {
  switch (reason) {
    case Reason::Rule: return "rule";
    case Reason::Default: return "default";
    case Reason::Tombstone: return "denied-before";
    case Reason::Answer: return "answer-to-denied";
    case Reason::Related: return "parent-denied";
    case Reason::Banned: return "banned";
    case Reason::FragmentLost: return "fragment-lost";
    case Reason::HoldOverflow: return "hold-overflow";
    case Reason::UndecidedBudget: return "undecided-budget";
    case Reason::TableFull: return "table-full";
    case Reason::Conflict: return "stream-conflict";
    case Reason::Refused: return "refused-call";
    case Reason::Overlap: return "fragment-overlap";
  }
  return "rule";
}

}  // namespace weir::report
