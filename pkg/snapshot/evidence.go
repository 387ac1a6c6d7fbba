package snapshot

// GapNoFile says that nobody collected it: the evidence that is judged has no
// file for it.
const GapNoFile GapReason = "no-file"
