"""What a person has to read before arming, and what belongs to a session: texts as data.

The device knows only the checklist's number (`CHECklist?`); a change of the texts needs a new
number there and here. Sources: FDA guidance 1999, IEC 60601-2-10 and manufacturers' manuals, as
collected in docs/records.md. Not medical advice.
"""

from __future__ import annotations

from hashlib import sha256
from typing import NamedTuple


class Checklist(NamedTuple):
    """number: as the device has it. groups: (title, entries)."""

    number: str
    groups: tuple[tuple[str, tuple[str, ...]], ...]

    def text(self) -> str:
        lines = [f"Checklist {self.number}"]
        for title, entries in self.groups:
            lines += ["", title, *(f"  - {entry}" for entry in entries)]
        return "\n".join(lines) + "\n"

    def digest(self) -> str:
        """SHA-256 of the text, first 16 digits: what a record says was read."""
        return sha256(self.text().encode()).hexdigest()[:16]


D1 = Checklist(
    "D1",
    (
        ("Do not use with", (
            "a pacemaker, defibrillator or any other active implant",
            "pregnancy, above all on trunk, abdomen or lower back",
            "deep vein thrombosis or thrombophlebitis",
            "known or suspected cancer near the pads",
            "epilepsy, without medical advice",
            "serious heart disease, without medical advice",
            "a bleeding tendency or an untreated haemorrhage",
            "infection, tuberculosis or osteomyelitis there",
            "a person who cannot understand or say what is felt",
            "impaired arterial circulation",
            "an abdominal or inguinal hernia",
            "an unstable or unhealed fracture",
            "children, unless supervised",
        )),
        ("Never put pads on or across", (
            "the front of the neck (carotid sinus), mouth or throat",
            "the head, the brain, the eyes",
            "the chest, chest and upper back, the heart",
            "reproductive organs; a pregnant or menstruating uterus",
            "open wounds, irritated, infected or swollen skin, varicose veins",
            "numb skin; tissue irradiated within 6 months",
            "growth plates of children",
        )),
        ("Never use while", (
            "driving or operating machines",
            "bathing, in water, or asleep",
            "high-frequency surgery is used, or within 1 m of shortwave or microwave therapy",
            "an ECG or another monitor is connected",
            "charging, or connected to equipment on the mains, a computer's USB included",
            "a child is unattended",
        )),
        ("Take care with", (
            "recent surgery or acute injury",
            "pain of unknown cause, poor sensation, skin disease",
            "metal under the pads",
            "much fat under the skin: it needs more current",
        )),
        ("In every session", (
            "sit or lie for the first 5 minutes",
            "look at the skin before and after; use new pads when they are dry",
            "start from zero; strong but never painful",
            "stop on pain, dizziness, burning or any heart symptom",
            "with a spinal injury above T6 stop on headache, flushing or sweating",
            "never move pads while the output is on",
            "irritation and burns of the skin have happened; long-term effects are unknown",
        )),
    ),
)  # fmt: skip
CHECKLISTS = {D1.number: D1}

BEFORE = "Look at the skin under the pads: whole, dry, without redness?"
AFTER = "Look at the skin under the pads: any mark that does not fade within minutes?"
STOP_RULES = "Stop on pain, dizziness, burning, heart symptoms: ! or the stop button, at any time."
# What the person is to do meanwhile, by the mode of the program (A25: beside voluntary exercise).
EFFORT = {
    "NMES": "Contract along with every stimulated contraction, as strongly as is comfortable.",
    "FES": "Make the movement yourself as far as you can; the stimulation helps it.",
    "TENS": "Rest; it should tingle, not contract, unless the program says otherwise.",
    "TEST": "Keep the muscle relaxed.",
    "MAN": "As your clinician has told you.",
}
"""Texts of the project's own."""


def checklist(number: str) -> Checklist:
    """The checklist that a device asks for. Raises KeyError for a number without texts."""
    if number not in CHECKLISTS:
        raise KeyError(f"checklist {number}: this host has {', '.join(CHECKLISTS)}")
    return CHECKLISTS[number]
