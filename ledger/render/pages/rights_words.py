"""What the rights desk says for the words of the registry: each is a key of the catalogues."""

from __future__ import annotations

from ledger.render.pages.languages import N_

SHELVES = {
    "models": (N_("Models"), N_("model")),
    "datasets": (N_("Datasets"), N_("dataset")),
    "grants": (N_("Grants"), N_("grant")),
    "parties": (N_("Parties"), N_("party")),
    "services": (N_("Services"), N_("service")),
    "titles": (N_("Titles"), N_("title")),
    "works": (N_("Works"), N_("work")),
    "consents": (N_("Consents"), N_("consent")),
}
"""What the registry holds (``service.desk.shelves``): many, and one."""

KINDS = {
    "base": N_("base model"),
    "fine-tune": N_("fine-tuned model"),
    "lora": N_("LoRA"),
    "controlnet": N_("ControlNet"),
    "vae": N_("VAE"),
    "upscaler": N_("upscaler"),
    "merge": N_("merge of models"),
    "service": N_("remote service"),
    "other": N_("other model"),
    "model": N_("model"),
    "dataset": N_("dataset"),
    "person": N_("person"),
    "organisation": N_("organisation"),
    "collective": N_("collective"),
}
"""Kinds of models, of relatives in a family, and of parties."""

TIES = {
    "base": N_("its training was continued"),
    "merged": N_("merged in"),
    "adapter-base": N_("works on top of it"),
    "foundation": N_("trained from nothing"),
    "additional": N_("trained further"),
    "focused": N_("trained on these works (focused)"),
    "output-of": N_("its output is in the dataset"),
}
"""How a parent is in its child (``service.desk.family``); the stages of a training among them."""

STATES = {
    "in force": ("c", "✓", N_("In force")),
    "not begun": ("u", "…", N_("Not begun")),
    "ended": ("u", "–", N_("Ended")),
    "revoked": ("b", "✕", N_("Revoked")),
}
"""Where a grant stands (``InForce``): class, mark and word."""

STANDINGS = {
    "accepted": ("c", "✓", N_("Accepted")),
    "contested": ("r", "!", N_("Contested")),
    "withdrawn": ("b", "✕", N_("Withdrawn")),
    None: ("u", "?", N_("Not reviewed")),
}
"""Where a reviewed thing stands: class, mark and word."""

BASES = {
    "licence": N_("a licence"),
    "statutory-exception": N_("an exception that the law makes"),
    "public-domain": N_("the public domain"),
    "own-work": N_("the studio's own work"),
    "work-for-hire": N_("work that was made for the studio"),
    "vendor-terms": N_("the terms of the vendor"),
    "unknown": N_("not known"),
}
"""Why a use is permitted."""

MEDIA = {
    "broadcast": N_("television"),
    "streaming": N_("streaming"),
    "theatrical": N_("cinema"),
    "home-video": N_("discs and downloads"),
    "games": N_("games"),
    "merchandise": N_("merchandise"),
    "advertising": N_("advertising"),
    "social": N_("social media"),
    "print": N_("print"),
    "internal": N_("inside the studio only"),
}
"""How a title reaches its audience."""

AFTERWARDS = {
    "outputs-survive": N_("What was made under it may go on being shown."),
    "outputs-cease-new-exploitation": N_("What was made under it may not be used anew."),
    "model-must-retire": N_("What was made under it stays; the model must not be used any more."),
    "renegotiate": N_("The parties have to talk again."),
}
"""What becomes of what was made."""

EVIDENCE = {
    "observed": N_("A tool saw it happen."),
    "inferred": N_("It was read from files, not seen."),
    "declared": N_("Somebody typed it."),
}
"""How a registration came to be known."""

ENDING = {
    "grant": N_("Grant"),
    "consent": N_("Consent"),
    "approval": N_("Approval"),
    "override": N_("Accepted finding"),
    "terms": N_("Terms of a service"),
}
"""What ends (``service.desk.ending``)."""

APPROVALS = {
    "tool": N_("use of the tool"),
    "final-output": N_("generated material in the final picture"),
    "likeness": N_("a person's likeness"),
    "personal-data": N_("personal data"),
    "third-party-ip": N_("somebody else's work"),
}
"""What an approval is for."""

DECISIONS = {
    "approved": ("c", "✓", N_("Approved")),
    "refused": ("b", "✕", N_("Refused")),
}
"""What was decided: class, mark and word."""

OWNERSHIP = {
    "user": N_("The output is the studio's."),
    "vendor": N_("The output is the vendor's."),
    "shared": N_("The output is shared with the vendor."),
    "unclear": N_("The terms do not say whose the output is."),
}
"""Whose the output of a service is, by its terms."""

INPUT_TRAINING = {
    "never": N_("What is sent never trains the vendor's models."),
    "disabled": N_("What is sent could train the vendor's models; the account has it switched off."),
    "enabled": N_("What is sent may train the vendor's models."),
}
"""What becomes of what is sent to a service."""

ANSWERS = {
    "member": ("r", "!", N_("It is in the dataset. The proof is below.")),
    "absent": ("c", "✓", N_("It is not in the dataset. The proof is below.")),
}
"""What an inventory answers about a work: class, mark and sentence."""
