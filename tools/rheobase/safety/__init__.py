"""The fault matrix: every fault in every state, from the fault to legs low and charge at rest."""
