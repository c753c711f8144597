"""Proper names: people, cities, countries. They take no adjective; only a country takes an article ("la France")."""

# "capital" is any city. A country is said with "en" (feminine, or before a vowel) or with "au" (masculine).
# english | french gender | kinds
NAMES = """
Paul      | Paul m       | person name
Thomas    | Thomas m     | person name
Daniel    | Daniel m     | person name
Simon     | Simon m      | person name
Martin    | Martin m     | person name
David     | David m      | person name
Antoine   | Antoine m    | person name
Nicolas   | Nicolas m    | person name
Robert    | Robert m     | person name
Victor    | Victor m     | person name
Louis     | Louis m      | person name
Adam      | Adam m       | person name
Oscar     | Oscar m      | person name
Kevin     | Kevin m      | person name
Peter     | Peter m      | person name
Marie     | Marie f      | person lady name
Alice     | Alice f      | person lady name
Emma      | Emma f       | person lady name
Julie     | Julie f      | person lady name
Claire    | Claire f     | person lady name
Sophie    | Sophie f     | person lady name
Anna      | Anna f       | person lady name
Camille   | Camille f    | person lady name
Laura     | Laura f      | person lady name
Sarah     | Sarah f      | person lady name
Lucie     | Lucie f      | person lady name
Manon     | Manon f      | person lady name
Nina      | Nina f       | person lady name
Eva       | Eva f        | person lady name
Paris     | Paris m      | capital name
Lyon      | Lyon m       | capital name
Nice      | Nice f       | capital name
Bordeaux  | Bordeaux m   | capital name
Berlin    | Berlin m     | capital name
Madrid    | Madrid m     | capital name
Dublin    | Dublin m     | capital name
Oslo      | Oslo m       | capital name
Prague    | Prague f     | capital name
Rome      | Rome f       | capital name
Tokyo     | Tokyo m      | capital name
Boston    | Boston m     | capital name
London    | Londres m    | capital name
Geneva    | Genève f     | capital name
Venice    | Venise f     | capital name
Brussels  | Bruxelles f  | capital name
Vienna    | Vienne f     | capital name
Athens    | Athènes f    | capital name
Barcelona | Barcelone f  | capital name
Lisbon    | Lisbonne f   | capital name
France    | France f     | country en name
Spain     | Espagne f    | country en name
Italy     | Italie f     | country en name
Germany   | Allemagne f  | country en name
England   | Angleterre f | country en name
Belgium   | Belgique f   | country en name
China     | Chine f      | country en name
Canada    | Canada m     | country au name
Japan     | Japon m      | country au name
Brazil    | Brésil m     | country au name
Portugal  | Portugal m   | country au name
Morocco   | Maroc m      | country au name
"""

# Training never sees these. They are the same in both languages: a translator must copy them.
UNSEEN_NAMES = """
Bruno     | Bruno m      | person name
Marcel    | Marcel m     | person name
Olivier   | Olivier m    | person name
Samuel    | Samuel m     | person name
Gabriel   | Gabriel m    | person name
Felix     | Felix m      | person name
Carla     | Carla f      | person lady name
Elisa     | Elisa f      | person lady name
Justine   | Justine f    | person lady name
Louise    | Louise f     | person lady name
Sandra    | Sandra f     | person lady name
Victoria  | Victoria f   | person lady name
Nantes    | Nantes f     | capital name
Lille     | Lille f      | capital name
Turin     | Turin m      | capital name
Milan     | Milan m      | capital name
Amsterdam | Amsterdam m  | capital name
Toronto   | Toronto m    | capital name
Porto     | Porto m      | capital name
Monaco    | Monaco m     | capital name
"""
