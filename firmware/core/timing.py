"""What a board asks of every pulse, in turns: the frame that plan, tape and tests share."""

# A gap between groups holds a level word and three segments (5 + 4 + 5 + 5 turns).
LEAST_GAP_TURNS = 32


class Timing:
    """Board times as turns of its clock.

    grid: Grid. dead: between opposite legs of a channel. separation: between the channels.
    lead: GATE before the first leg. settle: amplitude change to phase. All rounded up.
    """

    def __init__(self, grid, dead_ns, separation_ns, gate_lead_ns, settle_ns):
        self.grid = grid
        self.dead = grid.turns_up(dead_ns)
        self.separation = max(grid.turns_up(separation_ns), LEAST_GAP_TURNS)
        self.lead = max(grid.turns_up(gate_lead_ns), LEAST_GAP_TURNS)
        self.settle = grid.turns_up(settle_ns)
