"""The people of a partner: who they are, what they may do, which accounts exist for them."""
