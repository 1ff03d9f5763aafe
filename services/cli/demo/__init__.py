"""The main job, shown: trade through crashes, then prove every cent from the venue's own record."""
