//! What the agent tells monitoring systems, in their own words: tables that give each metric a reading, pure encoders over
//! a snapshot, and the actors that push.
