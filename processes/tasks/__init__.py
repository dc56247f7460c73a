"""Work one person gives to another: asked, accepted, done, confirmed; every move kept."""
