--- How the verdicts come about, for the reader of the report.
return {
  "A statement is taken apart into statistics, each with a threshold; both stand in a table at the "
    .. "top of a file in scripts/claims. It “holds” when every part passes for every seed; it "
    .. "“holds only if” a condition is met when it fails without, and the parts of the "
    .. "condition pass for every seed; it “does not hold” when no seed passes; it is “not decided” "
    .. "when seeds disagree or are fewer than five. Where a part speaks of a mean over "
    .. "networks, the mean decides.",
  "Thresholds come from the document's own words and numbers where it gives them (a number counts "
    .. "as reproduced within 5 %, an entropy within 0.01 bits, a time or a gradient norm within a "
    .. "factor of 2); the others are our reading of words such as “negligible”. Conditions "
    .. "are explanations, most of them worded after a first look at data. What was added or "
    .. "changed after a first run is said under “Changed”, with the seeds that were new since.",
  "“Loss” is the mean cross-entropy for each character in nats. The verdicts are about small "
    .. "tanh networks on these texts with these settings; they do not say what larger models do.",
}
